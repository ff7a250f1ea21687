//! Where Eventyard and BullMQ are meant to differ.

use crate::node::VERSIONS;

/// Where Eventyard means something else than BullMQ.
pub(super) struct Apart {
    /// The scenario.
    pub(super) scenario: &'static str,
    /// The versions of BullMQ that it is apart from.
    pub(super) versions: &'static [u8],
    /// What differs.
    pub(super) places: &'static [&'static str],
    /// Why that is meant.
    pub(super) why: &'static str,
}

pub(super) const APART: &[Apart] = &[
    Apart {
        scenario: "stall",
        versions: &VERSIONS,
        places: &["bull:q:a atm", "bull:q:a failedReason", "bull:q:a stacktrace"],
        why: "an attempt whose worker crashed counts, and is on record",
    },
    Apart {
        scenario: "give_back_prioritised",
        versions: &VERSIONS,
        places: &["bull:q:prioritized"],
        why: "a job that is given back has its old place, and not the first of its priority",
    },
    Apart {
        scenario: "flow_child_fails_its_parent",
        versions: &VERSIONS,
        places: &[
            "bull:q:events #02",
            "bull:q:failed",
            "bull:q:marker",
            "bull:q:parent defa",
            "bull:q:parent failedReason",
            "bull:q:parent finishedOn",
            "bull:q:wait",
        ],
        why: "the parent fails at once, without a worker that has to take it first",
    },
    Apart {
        scenario: "retry_failed_prioritised",
        versions: &[5],
        places: &["bull:q:pc", "bull:q:prioritized", "bull:q:wait"],
        why: "a retried job keeps its priority, as in BullMQ 6",
    },
    Apart {
        scenario: "complete_while_paused",
        versions: &[5],
        places: &["bull:q:events #07"],
        why: "a paused queue with jobs is not drained, as in BullMQ 6",
    },
    Apart {
        scenario: "prioritise_waiting",
        versions: &VERSIONS,
        places: &["bull:q:a opts"],
        why: "the options say what holds now",
    },
    Apart {
        scenario: "prioritise_again",
        versions: &VERSIONS,
        places: &["bull:q:a opts"],
        why: "the options say what holds now",
    },
    Apart {
        scenario: "prioritise_no_more",
        versions: &VERSIONS,
        places: &["bull:q:a opts"],
        why: "the options say what holds now",
    },
    Apart {
        scenario: "take_what_is_due",
        versions: &VERSIONS,
        places: &["bull:q:marker"],
        why: "nobody is woken when no other job could run",
    },
    Apart {
        scenario: "resume_with_delayed",
        versions: &VERSIONS,
        places: &["bull:q:marker"],
        why: "whoever waits looks at the queue once, since it may run again",
    },
    Apart {
        scenario: "limit_rate",
        versions: &VERSIONS,
        places: &["bull:q:marker"],
        why: "whoever waits looks at the queue once, since it may allow more",
    },
];
