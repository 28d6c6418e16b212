//! Sending HTTP politely: transport, retry verdicts, limiter, circuit breaker, redaction; knows no vendor.
