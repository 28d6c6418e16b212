//! Credentials for HubSpot's API behind one token provider.
