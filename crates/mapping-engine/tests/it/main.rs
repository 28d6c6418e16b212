//! The mapping engine from outside: files in, mappings or problems out.

#[cfg(test)]
mod canonical;
#[cfg(test)]
mod codes;
#[cfg(test)]
mod corpus;
#[cfg(test)]
mod format_reference;
#[cfg(test)]
mod fuzz;
#[cfg(test)]
mod hostile;
#[cfg(test)]
mod infer;
#[cfg(test)]
mod json_schema;
#[cfg(test)]
mod large;
#[cfg(test)]
mod map;
#[cfg(test)]
mod meanings;
#[cfg(test)]
mod policies;
#[cfg(test)]
mod problems;
#[cfg(test)]
mod support;
#[cfg(test)]
mod transforms;
