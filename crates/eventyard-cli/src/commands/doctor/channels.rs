//! The channels: whether the mail server answers and the files can be used.

use std::{io, sync::Arc, time::Duration};

use eventyard_core::{Clock, SystemClock};
use eventyard_notify::{mail::Tls, template::Templates};
use tokio::{io::AsyncReadExt, net::TcpStream, time::timeout};

use super::finding::Finding;
use crate::{
    channels::open_fcm,
    config::{Config, Smtp},
};

/// How long the mail server may take to answer.
const PATIENCE: Duration = Duration::from_secs(5);

/// Looks at every channel that is configured.
pub(super) async fn check(config: &Config) -> Vec<Finding> {
    let channels = &config.channels;
    let mut findings = Vec::new();
    if let Some(smtp) = &channels.smtp {
        findings.push(mail(smtp).await);
    }
    if channels.mailbox.enabled {
        findings.push(Finding::ok("mail", "mails are kept in the mailbox, not sent"));
    }
    if let Some(fcm) = &channels.fcm {
        let clock: Arc<dyn Clock> = Arc::new(SystemClock::default());
        findings.push(match open_fcm(fcm, &clock) {
            Ok(_) => Finding::ok("push", format!("{} can be used", fcm.credentials.display())),
            Err(error) => Finding::fail(
                "push",
                error.to_string(),
                "download the service account's key from the Firebase console (channels.fcm.credentials)",
            ),
        });
    }
    if let Some(dir) = &channels.templates_dir {
        findings.push(match Templates::load(dir) {
            Ok(_) => Finding::ok("templates", format!("{} can be used", dir.display())),
            Err(error) => {
                Finding::fail("templates", error.to_string(), "correct it, or remove the file")
            }
        });
    }
    findings
}

/// Connects and, where the server speaks first, listens to what it says.
async fn mail(smtp: &Smtp) -> Finding {
    let options = smtp.options();
    let server = format!("{}:{}", options.host, options.port);
    let greeted = timeout(PATIENCE, async {
        let mut stream = TcpStream::connect((options.host.as_str(), options.port)).await?;
        if options.tls == Tls::Required {
            return Ok(());
        }
        let mut greeting = [0; 3];
        stream.read_exact(&mut greeting).await?;
        if &greeting == b"220" { Ok(()) } else { Err(io::Error::other("it is no mail server")) }
    });
    let problem = match greeted.await {
        Ok(Ok(())) => return Finding::ok("mail", format!("{server} answers")),
        Ok(Err(error)) => error.to_string(),
        Err(_) => format!("no answer within {} s", PATIENCE.as_secs()),
    };
    Finding::fail(
        "mail",
        format!("the mail server {server} cannot be reached: {problem}"),
        "check channels.smtp (host, port, tls) and the way there; until then mails are retried",
    )
}
