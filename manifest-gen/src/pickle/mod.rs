//! What a model file would do when loaded, without loading it: containers, a symbolic pickle machine, an allow-list.
//!
//! [`scan`] unwraps compression and archives, runs each pickle on a symbolic stack and memo, steps over raw numpy blocks, and
//! says which globals the file names and whether all of them are allowed. Nothing is imported, called or built; memory, depth
//! and time are bounded (`limits`), and what is not understood is never called allowed.

mod allow;
mod archive;
mod array;
mod compressed;
mod container;
mod dtype;
mod features;
mod inert;
mod limits;
mod literal;
mod machine;
mod npy;
mod objects;
mod opcode;
mod rules;
mod scan;
mod source;
mod value;

pub use allow::AllowList;
pub use features::feature_names;
pub use scan::{Scan, ScanVerdict, scan};
