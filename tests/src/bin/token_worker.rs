//! One process that asks for tokens, run several times over by the tests of what processes share.
//!
//! `token-worker FILE URL HOLDER TASKS AHEAD`: waits for a line, lets so many tasks ask at once, `AHEAD` seconds in the
//! future, uses each token for a call, and prints what came of it, one line a different outcome.
#![allow(clippy::print_stdout, reason = "its output is what the tests read")]

use std::collections::BTreeSet;
use std::path::Path;
use std::sync::Arc;

use bytes::Bytes;
use http_transport::{Clock, ReqwestTransport, TokioClock, Transport};
use jiff::SignedDuration;
use oauth::{NoToken, PortalTokens};
use secrecy::ExposeSecret as _;
use workspace_tests::connected::{Connected, Failure};

fn main() -> Result<(), Failure> {
    let arguments: Vec<String> = std::env::args().skip(1).collect();
    let arguments: Vec<&str> = arguments.iter().map(String::as_str).collect();
    let [file, url, holder, tasks, ahead] = arguments.as_slice() else {
        return Err("usage: token-worker FILE URL HOLDER TASKS AHEAD".into());
    };
    let (tasks, ahead): (usize, i64) = (tasks.parse()?, ahead.parse()?);
    let runtime = tokio::runtime::Builder::new_multi_thread().worker_threads(2).enable_all().build()?;
    runtime.block_on(async {
        let transport: Arc<dyn Transport> = Arc::new(ReqwestTransport::builder().build()?);
        let now = TokioClock::start().now().checked_add(SignedDuration::from_secs(ahead))?;
        let clock: Arc<dyn Clock> = Arc::new(TokioClock::starting_at(now));
        let connected = Connected::open(Path::new(file), url, "2026-03", transport.clone(), clock)?;
        let tokens = connected.tokens(holder);
        println!("ready");
        std::io::stdin().read_line(&mut String::new())?;
        let asked: Vec<_> = (0..tasks)
            .map(|_| tokio::spawn(once(tokens.clone(), transport.clone(), (*url).to_owned())))
            .collect();
        let mut outcomes = BTreeSet::new();
        for task in asked {
            outcomes.insert(task.await??);
        }
        for outcome in outcomes {
            println!("{outcome}");
        }
        Ok(())
    })
}

/// Gets a token and uses it.
async fn once(tokens: PortalTokens, transport: Arc<dyn Transport>, url: String) -> Result<String, Failure> {
    let token = match tokens.get().await {
        Ok(token) => token,
        Err(NoToken::NeedsReauthorisation { reason, .. }) => return Ok(format!("stopped: {reason}")),
        Err(error) => return Ok(format!("failed: {error}")),
    };
    let request = http::Request::get(format!("{url}/account-info/2026-03/details"))
        .header("authorization", format!("Bearer {}", token.expose_secret()));
    let answer = transport.send(request.body(Bytes::new())?).await?;
    Ok(format!("status {} with {}", answer.status().as_u16(), token.expose_secret()))
}
