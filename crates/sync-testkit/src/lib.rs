//! Clocks moved by hand, scripted sources, seeded faults and conformance suites for the role traits.
