//! What every engagement binary shares: settings, command line, wiring, progress, reports.
