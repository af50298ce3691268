//! An admin client as scripts use it: one call after the other, retried as `KafkaAdminClient` retries.

use cluster::protocol::{Request, Response};
use simulation::Micros;

use super::common::{Properties, bootstrap_servers};
use crate::client::{
    CallError, ClientCommand, ClientError, ClientEvent, ClientId, ClientKind, ClientSpec,
    Destination,
};
use crate::script::{Pending, Script};

/// `retry.backoff.ms`
const RETRY_BACKOFF: Micros = Micros::from_ms(100);

/// An admin client, owned by one script.
pub struct AdminClient {
    client: ClientId,
    next_call: u32,
    request_timeout: Micros,
    api_timeout: Micros,
}

impl AdminClient {
    /// `Admin.create`: the error is the message of a `ConfigException` about the addresses.
    /// `config` is what a command's config file holds; `client.id` defaults to `client_id`.
    pub fn create(
        script: &mut Script<'_>,
        servers: &str,
        client_id: &str,
        config: &Properties,
    ) -> Result<Self, String> {
        let ms = |name: &str, default: u64| {
            Micros::from_ms(
                config.get(name).and_then(|value| value.trim().parse().ok()).unwrap_or(default),
            )
        };
        let (request_timeout, api_timeout) =
            (ms("request.timeout.ms", 30_000), ms("default.api.timeout.ms", 60_000));
        let spec = ClientSpec {
            client_id: config.get("client.id").unwrap_or(client_id).to_owned(),
            bootstrap: bootstrap_servers(servers, script)?,
            kind: ClientKind::Admin,
            config: config.as_slice().to_vec(),
            host: "/127.0.0.1".to_owned(),
        };
        let client = script.spawn_client(spec);
        Ok(Self { client, next_call: 0, request_timeout, api_timeout })
    }

    /// `default.api.timeout.ms`
    pub fn api_timeout(&self) -> Micros {
        self.api_timeout
    }

    /// Sends a request until it is answered, at most for `default.api.timeout.ms`. `name` is what messages call it.
    pub fn call(
        &mut self,
        script: &mut Script<'_>,
        name: &str,
        to: &Destination,
        request: &Request,
    ) -> Result<Result<Response, ClientError>, Pending> {
        let deadline = script.now() + self.api_timeout;
        self.call_until(script, name, to, request, deadline)
    }

    /// As [`Self::call`], until `deadline`.
    pub fn call_until(
        &mut self,
        script: &mut Script<'_>,
        name: &str,
        to: &Destination,
        request: &Request,
        deadline: Micros,
    ) -> Result<Result<Response, ClientError>, Pending> {
        let mut tries = 0;
        loop {
            let now = script.now();
            let left = deadline.since(now);
            // Finding the node may take all the time there is; one request only `request.timeout.ms`.
            let timeout = if tries == 0 { left } else { left.min(self.request_timeout) };
            let result = self.call_once(script, to, request.clone(), timeout.as_ms() as u32)?;
            let error = match result {
                Ok(response) => return Ok(Ok(response)),
                Err(error) => error,
            };
            tries += 1;
            let now = script.now();
            if now + RETRY_BACKOFF >= deadline {
                let message = match error {
                    CallError::NoDestination(_) => {
                        format!("Timed out waiting for a node assignment. Call: {name}")
                    }
                    _ => format!(
                        "Call(callName={name}, deadlineMs={}, tries={tries}, nextAllowedTryMs={}) timed out at {} after {tries} attempt(s)",
                        deadline.as_ms(),
                        (now + RETRY_BACKOFF).as_ms(),
                        now.as_ms()
                    ),
                };
                return Ok(Err(ClientError {
                    code: 7,
                    exception: "org.apache.kafka.common.errors.TimeoutException".to_owned(),
                    message,
                }));
            }
            script.sleep(RETRY_BACKOFF)?;
        }
    }

    /// Sends a request once. What the client logs meanwhile is shown.
    pub fn call_once(
        &mut self,
        script: &mut Script<'_>,
        to: &Destination,
        request: Request,
        timeout_ms: u32,
    ) -> Result<Result<Response, CallError>, Pending> {
        let call = self.next_call;
        self.next_call += 1;
        script.command(
            self.client,
            ClientCommand::Call { call, to: to.clone(), request, timeout_ms },
        );
        loop {
            match script.next_event(self.client, None)? {
                Some(ClientEvent::Response { call: answered, result }) if answered == call => {
                    return Ok(result);
                }
                Some(ClientEvent::Log(line)) => script.log(&line.level, &line.text, &line.logger),
                _ => {}
            }
        }
    }
}
