//! What this process has used so far, by the kernel's account.

use std::fs;

/// CPU and memory of this process.
#[derive(Clone, Copy, Debug, Default)]
pub struct Usage {
    /// CPU time in user and system mode, in seconds, to a hundredth.
    pub cpu_seconds: f64,
    /// Most memory ever resident, in megabytes.
    pub peak_mb: f64,
}

impl Usage {
    /// Reads the kernel's figures; zeros where the system has no `/proc`.
    #[must_use]
    pub fn now() -> Usage {
        let stat = fs::read_to_string("/proc/self/stat").unwrap_or_default();
        // Fields after the command's closing parenthesis; user and system ticks are the 12th and 13th.
        let ticks: f64 = stat
            .rsplit(')')
            .next()
            .unwrap_or_default()
            .split_whitespace()
            .skip(11)
            .take(2)
            .filter_map(|field| field.parse::<f64>().ok())
            .sum();
        let status = fs::read_to_string("/proc/self/status").unwrap_or_default();
        let peak = status
            .lines()
            .find_map(|line| line.strip_prefix("VmHWM:"))
            .and_then(|rest| rest.split_whitespace().next())
            .and_then(|kilobytes| kilobytes.parse::<f64>().ok())
            .unwrap_or_default();
        Usage { cpu_seconds: ticks / 100.0, peak_mb: peak / 1024.0 }
    }
}
