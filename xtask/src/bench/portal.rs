//! A local portal of the benchmark's own, as a process that ends with the value.

use std::io::{BufRead as _, BufReader};
use std::path::Path;
use std::process::{Child, ChildStdout, Command, Stdio};

/// The credential that the portal accepts; the portal is on this machine and lives for one run.
pub(super) const TOKEN: &str = "bench-token";

/// An empty portal without request limits, ended when this is dropped, however that comes about.
pub(super) struct Portal {
    pub(super) url: String,
    _process: Process,
    /// Open for as long as the process writes to it.
    _output: BufReader<ChildStdout>,
}

impl Portal {
    /// Starts the program on a free port and waits until it listens.
    pub(super) fn start(program: &Path) -> Result<Portal, String> {
        let arguments =
            ["serve", "--listen", "127.0.0.1:0", "--tier", "unlimited", "--no-limits", "--token", TOKEN];
        let child = Command::new(program).args(arguments).stdout(Stdio::piped()).spawn();
        let mut process =
            Process(child.map_err(|error| format!("cannot start `{}`: {error}", program.display()))?);
        let output = process.0.stdout.take().ok_or("the portal's output is not piped")?;
        let mut output = BufReader::new(output);
        let mut line = String::new();
        output.read_line(&mut line).map_err(|error| format!("cannot read what the portal says: {error}"))?;
        let url = url(&line)?;
        Ok(Portal { url, _process: process, _output: output })
    }
}

/// The address in the line with which the portal says that it is ready.
fn url(line: &str) -> Result<String, String> {
    match line.trim().strip_prefix("listening on ") {
        Some(url) if url.starts_with("http://") => Ok(url.to_owned()),
        _ => Err(format!("the portal did not say `listening on …` but `{}`", line.trim())),
    }
}

struct Process(Child);

impl Drop for Process {
    fn drop(&mut self) {
        // It may have ended by itself, which is as good; waiting frees its entry in the process table.
        let _ = self.0.kill();
        let _ = self.0.wait();
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_address_is_in_the_first_line() {
        assert_eq!(url("listening on http://127.0.0.1:4711\n").unwrap(), "http://127.0.0.1:4711");
    }

    #[test]
    fn another_line_is_shown() {
        for line in ["", "listening on \n", "error: busy\n"] {
            assert!(url(line).unwrap_err().ends_with(&format!("`{}`", line.trim())));
        }
    }
}
