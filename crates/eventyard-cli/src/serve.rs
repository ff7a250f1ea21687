//! A running application behind its endpoints, from the first byte to the last.

mod housekeeping;

use std::net::SocketAddr;

use eventyard::Yard;
use eventyard_realtime::Realtime;
use miette::{IntoDiagnostic, miette};
use tokio::{net::TcpListener, sync::oneshot, task::JoinHandle};

use crate::{
    compose,
    config::Config,
    output,
    signals::{INTERRUPTED, Signals},
    store,
};

/// An application that answers requests.
pub(crate) struct Served {
    /// The address that it listens on, with the port that was taken for port 0.
    address: SocketAddr,
    yard: Yard,
    realtime: Option<Realtime>,
    stop: oneshot::Sender<()>,
    answering: JoinHandle<std::io::Result<()>>,
    keeping_house: JoinHandle<()>,
    signals: Signals,
}

impl Served {
    /// Listens, opens the store and starts the application: no job runs in a process that nobody can reach.
    ///
    /// # Errors
    /// When one of them cannot be done.
    pub(crate) async fn start(config: &Config, mock_events: bool) -> miette::Result<Self> {
        let signals = Signals::listen().into_diagnostic()?;
        let listen = config.server.listen;
        let listener = TcpListener::bind(listen).await.map_err(|error| {
            miette!(
                help = "stop what listens there, or choose another address with --listen (port 0 takes a free one)",
                "cannot listen on {listen}: {error}"
            )
        })?;
        let address = listener.local_addr().into_diagnostic()?;
        let (yard, realtime) =
            compose::start(config, store::open_configured(config).await?).await?;
        let mut router = compose::router(config, &yard, mock_events);
        if let Some(realtime) = &realtime {
            router = router.merge(realtime.router(&yard));
        }
        let (stop, stopped) = oneshot::channel();
        let answering = tokio::spawn(eventyard_admin::serve(listener, router, async {
            // An error says that the other side is gone, which is to stop as well.
            let _ = stopped.await;
        }));
        let keeping_house = tokio::spawn(housekeeping::keep_house(yard.clone(), config.clone()));
        Ok(Self { address, yard, realtime, stop, answering, keeping_house, signals })
    }

    /// The address as a URL.
    pub(crate) fn url(&self) -> String {
        format!("http://{}", self.address)
    }

    /// The running application.
    pub(crate) fn yard(&self) -> &Yard {
        &self.yard
    }

    /// Answers until a signal comes, then ends in good order: requests and active jobs get their time, what is
    /// left is given back. A second signal ends the process at once.
    ///
    /// # Errors
    /// When the server broke.
    pub(crate) async fn until_signal(mut self, config: &Config) -> miette::Result<()> {
        let mut answering = self.answering;
        let broken = tokio::select! {
            signal = self.signals.next() => {
                output::tell(format_args!(
                    "{signal}: finishing requests and active jobs, for {} at most; once more to stop at once",
                    config.server.shutdown_grace
                ));
                None
            }
            ended = &mut answering => Some(ended),
        };
        self.keeping_house.abort();
        // When the server has ended by itself, nobody listens any more.
        let _ = self.stop.send(());
        let orderly = async {
            if let Some(realtime) = &self.realtime {
                // Its clients come back to another node by themselves.
                realtime.close().await;
            }
            let answered = match broken {
                Some(ended) => {
                    self.yard.stop().await;
                    ended
                }
                None => tokio::join!(&mut answering, self.yard.stop()).0,
            };
            self.yard.shutdown().await;
            answered
        };
        tokio::select! {
            answered = orderly => {
                answered.into_diagnostic()?.into_diagnostic()?;
                output::tell("stopped");
                Ok(())
            }
            signal = self.signals.next() => {
                output::tell(format_args!(
                    "{signal}: stopping at once; active jobs are taken over when their leases end"
                ));
                std::process::exit(INTERRUPTED);
            }
        }
    }
}
