//! Files, URLs and the reader.
