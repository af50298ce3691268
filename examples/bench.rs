//! The engine's workloads as a wasm module of their own: `cargo xtask bench` runs it in a worker of the browser.

#[cfg(target_arch = "wasm32")]
mod wasm {
    use playground::workload::WORKLOADS;
    use wasm_bindgen::prelude::wasm_bindgen;

    /// The workloads' names and amounts, one `name amount` a line.
    #[wasm_bindgen]
    pub fn workloads() -> String {
        let lines = WORKLOADS.iter().map(|work| format!("{} {}", work.name, work.amount));
        lines.collect::<Vec<_>>().join("\n")
    }

    /// Runs one; the answer as text, because it has 64 bits.
    #[wasm_bindgen]
    pub fn run(index: usize, amount: f64) -> String {
        WORKLOADS.get(index).map(|work| (work.run)(amount as u64)).unwrap_or_default().to_string()
    }
}

fn main() {}
