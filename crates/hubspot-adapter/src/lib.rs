//! HubSpot as a source and a destination of the sync engine.
