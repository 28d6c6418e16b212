//! How a command ends, and the exit code that says so.

use std::process::ExitCode;

use crate::Failure;

/// How a command ended that did not fail.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Outcome {
    /// Nothing to do, or done.
    Done,
    /// There are changes to make, or the two sides differ.
    Pending,
    /// It failed, and its answer has said why.
    Failed,
}

/// The exit code of a command.
pub(crate) fn exit_code(ended: &Result<Outcome, Failure>) -> ExitCode {
    match ended {
        Ok(Outcome::Done) => ExitCode::SUCCESS,
        Err(_) | Ok(Outcome::Failed) => ExitCode::from(1),
        Ok(Outcome::Pending) => ExitCode::from(2),
    }
}
