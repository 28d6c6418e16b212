//! Our receiver as an engagement would put it together.

use std::path::Path;
use std::sync::Arc;
use std::time::Duration;

use async_trait::async_trait;
use jiff::Timestamp;
use secrecy::SecretString;
use sync_types::Clock;
use tokio::net::TcpListener;
use webhooks::{Endpoint, Receiver, ServeLimits, SqliteInbox, Verifier};

use crate::{Failure, PUBLIC_URL, SECRET};

/// Real time.
#[derive(Debug)]
struct RealClock(tokio::time::Instant);

#[async_trait]
impl Clock for RealClock {
    fn now(&self) -> Timestamp {
        Timestamp::now()
    }
    fn monotonic(&self) -> Duration {
        self.0.elapsed()
    }
    async fn sleep(&self, duration: Duration) {
        tokio::time::sleep(duration).await;
    }
}

pub(crate) async fn serve(file: &Path) -> Result<(), Failure> {
    let clock = Arc::new(RealClock(tokio::time::Instant::now()));
    let inbox = Arc::new(SqliteInbox::open(file)?);
    let endpoint = Endpoint::at(PUBLIC_URL)?;
    let verifier = Verifier::new(vec![SecretString::from(SECRET)]);
    let receiver = Receiver::new(endpoint, verifier, inbox, clock.clone());
    let listener = TcpListener::bind("127.0.0.1:0").await?;
    println!("listening on {}", listener.local_addr()?);
    webhooks::serve(listener, receiver, ServeLimits::default(), clock, std::future::pending()).await;
    Ok(())
}
