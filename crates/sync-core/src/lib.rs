//! The sync engine: observe, plan, apply, verify; knows no vendor.
