use eventyard::{Context, Eventyard, JobError};

async fn no_event(_: Context) -> Result<(), JobError> {
    Ok(())
}

fn main() {
    let _ = Eventyard::in_memory().handle("emails", no_event);
}
