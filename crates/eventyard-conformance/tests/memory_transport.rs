//! The in-memory transport passes the suite.

use std::{sync::Arc, time::Duration};

use eventyard_conformance::{transport::Fixture, transport_suite};
use eventyard_core::{
    SystemClock,
    transport::{MemoryBroker, MemoryOptions},
};

async fn memory() -> Fixture {
    let options = MemoryOptions { redeliver_after: Duration::from_millis(50), max_deliveries: 3 };
    let broker = MemoryBroker::new(Arc::new(SystemClock::default()), options);
    let cut = broker.clone();
    Fixture::new(options.max_deliveries, move |node| {
        let transport = broker.transport(node);
        Box::pin(async move { Arc::new(transport) as _ })
    })
    .interrupted_by(move || {
        cut.interrupt();
        Box::pin(async {})
    })
}

transport_suite!(memory);
