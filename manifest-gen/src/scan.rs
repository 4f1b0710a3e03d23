//! placeholder
#[derive(Debug, Clone, clap::Args)]
pub struct AllowArgs {
    /// A global that pickles may import beside the shipped list: `mypkg.models.MyModel`
    #[arg(long, value_name = "GLOBAL")]
    pub allow: Vec<String>,
}
