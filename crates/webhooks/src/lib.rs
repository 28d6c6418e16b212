//! Verify and read what HubSpot sends.
