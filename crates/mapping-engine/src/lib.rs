//! A mapping file and two schemas become a checked mapping, or every problem at once.
