//! The suites must pass on what keeps the promises and fail, with the promise, on what does not.

mod conformance;
mod faulty;
