//! What a store promises.

use serde::Serialize;

/// What an acknowledged write survives.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Serialize)]
#[serde(rename_all = "kebab-case")]
pub enum Durability {
    /// Nothing: it lives in this process.
    Process,
    /// A crash of the process; a crash of the operating system may lose the last writes.
    ProcessCrash,
    /// A crash of the operating system or a power cut.
    SystemCrash,
    /// The loss of a node.
    NodeLoss,
}

impl Durability {
    /// The level as a sentence for people.
    #[must_use]
    pub const fn describe(self) -> &'static str {
        match self {
            Self::Process => "an acknowledged event lives as long as this process",
            Self::ProcessCrash => {
                "an acknowledged event survives a crash of the process; a power cut may lose the last ones"
            }
            Self::SystemCrash => {
                "an acknowledged event survives a crash of the process, of the system, and a power cut"
            }
            Self::NodeLoss => "an acknowledged event survives the loss of a node",
        }
    }
}

/// What a store can do. Asking it for more is an error, never a silent difference.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
#[serde(rename_all = "camelCase")]
pub struct Capabilities {
    /// The store's name: `memory`, `sqlite`.
    pub name: &'static str,
    /// What an acknowledged write survives.
    pub durability: Durability,
    /// Whether several processes may share the store.
    pub shared: bool,
}
