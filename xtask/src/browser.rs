//! The browser that tests run in, and its driver: found, or installed where that is ours to do.

use crate::process::{apt_install, can_apt, find, root};
use crate::{Outcome, say};
use std::env;
use std::path::{Path, PathBuf};

const PROGRAMS: &[&str] = &[
    "chromium",
    "chromium-browser",
    "google-chrome",
    "google-chrome-stable",
    "chrome",
    "microsoft-edge",
    "microsoft-edge-stable",
    "msedge",
];

/// Where browsers live on macOS and Windows, below the folders named there.
const MAC_APPS: &[&str] = &[
    "Google Chrome.app/Contents/MacOS/Google Chrome",
    "Chromium.app/Contents/MacOS/Chromium",
    "Microsoft Edge.app/Contents/MacOS/Microsoft Edge",
];
const WINDOWS_APPS: &[&str] = &[
    "Google\\Chrome\\Application\\chrome.exe",
    "Chromium\\Application\\chrome.exe",
    "Microsoft\\Edge\\Application\\msedge.exe",
];

/// An installed Chrome, Chromium or Edge; `CHROME` names another.
pub fn find_browser() -> Option<PathBuf> {
    if let Some(own) = env::var_os("CHROME").map(PathBuf::from).filter(|path| path.is_file()) {
        return Some(own);
    }
    let folders = |names: &[&str]| -> Vec<PathBuf> {
        names.iter().filter_map(env::var_os).map(PathBuf::from).collect()
    };
    let (bases, apps) = if cfg!(target_os = "macos") {
        let home = folders(&["HOME"]).into_iter().map(|home| home.join("Applications"));
        (home.chain([PathBuf::from("/Applications")]).collect(), MAC_APPS)
    } else if cfg!(windows) {
        (folders(&["ProgramFiles", "ProgramFiles(x86)", "LOCALAPPDATA"]), WINDOWS_APPS)
    } else {
        (Vec::new(), MAC_APPS)
    };
    PROGRAMS.iter().find_map(|program| find(program)).or_else(|| {
        let all = bases.iter().flat_map(|base| apps.iter().map(move |app| base.join(app)));
        all.into_iter().find(|path| path.is_file())
    })
}

/// The driver that the wasm tests need; `CHROMEDRIVER` names another.
pub fn find_driver() -> Option<PathBuf> {
    let own = env::var_os("CHROMEDRIVER").map(PathBuf::from).filter(|path| path.is_file());
    own.or_else(|| find("chromedriver")).or_else(|| find("msedgedriver"))
}

/// A browser, installed if there is none and we may.
pub fn ready() -> Outcome<PathBuf> {
    if find_browser().is_none() && can_apt() {
        let step =
            say::long_step("apt-get install chromium chromium-driver", "about 1 min, 120 MB");
        apt_install(&["chromium", "chromium-driver"])?;
        step.done();
    }
    find_browser().ok_or_else(|| {
        "no browser found: install Chrome, Chromium or Edge, or name one in CHROME".to_string()
    })
}

/// webdriver.json, which the wasm tests' runner reads: which browser, and how it is started. It differs per machine, so
/// it is written and not committed. Root may not use the browser's sandbox.
pub fn write_driver_settings(browser: &Path) -> Outcome {
    let path = root().join("webdriver.json");
    let binary = browser.display().to_string().replace('\\', "\\\\");
    let text = format!(
        "{{ \"goog:chromeOptions\": {{ \"binary\": \"{binary}\", \"args\": [\"--headless=new\", \"--no-sandbox\", \
         \"--disable-gpu\", \"--disable-dev-shm-usage\"] }} }}\n"
    );
    std::fs::write(&path, text).map_err(|error| format!("{}: {error}", path.display()))
}
