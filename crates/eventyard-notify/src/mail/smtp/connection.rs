//! One connection to an SMTP server, step by step, so that a failure can be told with its step.

use std::{future::Future, time::Duration};

use lettre::{
    address::Envelope,
    transport::smtp::{
        Error,
        authentication::{Credentials, DEFAULT_MECHANISMS},
        client::{AsyncSmtpConnection, Certificate, TlsParameters},
        commands::{Data, Mail, Rcpt},
        extension::{ClientId, Extension, MailParameter},
        response::Response,
    },
};

use super::options::{SmtpOptions, SmtpSetupError, Tls};

/// How long a server may take over a farewell.
const FAREWELL: Duration = Duration::from_secs(2);

/// Where a mail got stuck, and why.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) struct Fault {
    pub(super) step: &'static str,
    pub(super) problem: String,
}

/// Makes connections to one server.
pub(super) struct Dial {
    host: String,
    port: u16,
    tls: Tls,
    parameters: Option<TlsParameters>,
    credentials: Option<Credentials>,
    hello: ClientId,
    timeout: Duration,
}

impl Dial {
    pub(super) fn new(options: SmtpOptions) -> Result<Self, SmtpSetupError> {
        let host = options.host.trim_start_matches('[').trim_end_matches(']').to_owned();
        let parameters = match options.tls {
            Tls::None => None,
            Tls::StartTls | Tls::Required => Some(parameters(&host, &options)?),
        };
        Ok(Self {
            host,
            port: options.port,
            tls: options.tls,
            parameters,
            credentials: options.credentials.map(|c| Credentials::new(c.username, c.password)),
            hello: options.hello_name.map_or_else(ClientId::default, ClientId::Domain),
            timeout: options.timeout,
        })
    }

    /// The server, in words.
    pub(super) fn server(&self) -> String {
        if self.host.contains(':') {
            format!("smtp [{}]:{}", self.host, self.port)
        } else {
            format!("smtp {}:{}", self.host, self.port)
        }
    }

    /// A connection that is ready for mail.
    pub(super) async fn connect(&self) -> Result<Connection, Fault> {
        let wrapped = self.parameters.clone().filter(|_| self.tls == Tls::Required);
        let connecting = AsyncSmtpConnection::connect_tokio1(
            (self.host.as_str(), self.port),
            Some(self.timeout),
            &self.hello,
            wrapped,
            None,
        );
        let mut inner = step("connect", self.timeout, connecting).await?;
        if let (Tls::StartTls, Some(parameters)) = (self.tls, self.parameters.clone()) {
            step("STARTTLS", self.timeout, inner.starttls(parameters, &self.hello)).await?;
        }
        if let Some(credentials) = &self.credentials {
            step("AUTH", self.timeout, inner.auth(DEFAULT_MECHANISMS, credentials)).await?;
        }
        Ok(Connection { inner, timeout: self.timeout })
    }
}

/// A connection that is ready for mail.
pub(super) struct Connection {
    inner: AsyncSmtpConnection,
    timeout: Duration,
}

impl Connection {
    /// Sends one message; returns what the server answered.
    pub(super) async fn send(
        &mut self,
        envelope: &Envelope,
        message: &[u8],
    ) -> Result<String, Fault> {
        let (inner, timeout) = (&mut self.inner, self.timeout);
        let parameters = parameters_for(envelope, inner)?;
        let mail = Mail::new(envelope.from().cloned(), parameters);
        step("MAIL FROM", timeout, inner.command(mail)).await?;
        for to in envelope.to() {
            step("RCPT TO", timeout, inner.command(Rcpt::new(to.clone(), Vec::new()))).await?;
        }
        step("DATA", timeout, inner.command(Data)).await?;
        let response = step("message", timeout, inner.message(message)).await?;
        Ok(in_words(&response))
    }

    /// Whether the server is still there.
    pub(super) async fn is_alive(&mut self) -> bool {
        matches!(tokio::time::timeout(self.timeout, self.inner.test_connected()).await, Ok(true))
    }

    /// Says farewell and hangs up.
    pub(super) async fn close(mut self) {
        // A server that does not answer a farewell is left standing: the mail is dealt with either way.
        drop(tokio::time::timeout(FAREWELL, self.inner.abort()).await);
    }
}

fn parameters(host: &str, options: &SmtpOptions) -> Result<TlsParameters, SmtpSetupError> {
    let mut builder = TlsParameters::builder(host.to_owned());
    if let Some(path) = &options.ca_file {
        let invalid = |problem: String| SmtpSetupError {
            field: "caFile",
            problem: format!("{}: {problem}", path.display()),
        };
        let pem =
            std::fs::read(path).map_err(|error| invalid(format!("cannot be read: {error}")))?;
        let certificate = Certificate::from_pem(&pem)
            .map_err(|error| invalid(format!("is not a PEM file of certificates: {error}")))?;
        if !pem.windows(b"BEGIN CERTIFICATE".len()).any(|w| w == b"BEGIN CERTIFICATE") {
            return Err(invalid("holds no certificate".to_owned()));
        }
        builder = builder.add_root_certificate(certificate);
    }
    builder.build().map_err(|error| SmtpSetupError { field: "tls", problem: error.to_string() })
}

/// What the server must be told before an address that is not ASCII.
fn parameters_for(
    envelope: &Envelope,
    connection: &AsyncSmtpConnection,
) -> Result<Vec<MailParameter>, Fault> {
    let is_ascii = |address: &lettre::Address| AsRef::<str>::as_ref(address).is_ascii();
    if envelope.from().is_none_or(is_ascii) && envelope.to().iter().all(is_ascii) {
        return Ok(Vec::new());
    }
    if connection.server_info().supports_feature(Extension::SmtpUtfEight) {
        return Ok(vec![MailParameter::SmtpUtfEight]);
    }
    let problem = "the address is not ASCII, and the server does not offer SMTPUTF8".to_owned();
    Err(Fault { step: "MAIL FROM", problem })
}

/// Takes one step within the time for it.
async fn step<T>(
    step: &'static str,
    timeout: Duration,
    work: impl Future<Output = Result<T, Error>>,
) -> Result<T, Fault> {
    match tokio::time::timeout(timeout, work).await {
        Ok(Ok(done)) => Ok(done),
        Ok(Err(error)) => Err(Fault { step, problem: explain(&error) }),
        Err(_) => Err(Fault { step, problem: format!("no answer within {timeout:?}") }),
    }
}

/// The server's answer with its code, or why there is none.
fn explain(error: &Error) -> String {
    let causes = std::iter::successors(std::error::Error::source(error), |&e| e.source());
    let texts: Vec<_> = causes.map(ToString::to_string).collect();
    let text = texts.last().map_or_else(|| error.to_string(), |last| last.trim().to_owned());
    match error.status() {
        Some(code) => format!("{code} {text}"),
        None => text,
    }
}

fn in_words(response: &Response) -> String {
    let lines: Vec<_> = response.message().collect();
    format!("{} {}", response.code(), lines.join(" "))
}
