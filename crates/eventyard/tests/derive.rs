//! What `#[derive(Event)]` and the handler parameters say when they are used wrongly.

#[test]
fn mistakes_are_explained() {
    let cases = trybuild::TestCases::new();
    cases.compile_fail("tests/derive/*.rs");
}
