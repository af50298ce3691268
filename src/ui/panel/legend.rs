//! The legend (sheet 12): every mark of the notation with its meaning. Nothing else may be drawn.

use std::fmt::Write;

use leptos::prelude::*;

use super::cluster::diagram::PATTERNS;
use super::marks::{hue, outline};

/// Records in a row from `x` on, as paths of a class.
fn records(keys: &[u16], x: f64, y: f64, class: &str) -> String {
    let mut out = String::new();
    for (index, key) in keys.iter().enumerate() {
        let mut path = String::new();
        outline(&mut path, *key, x + 12.0 * index as f64, y, 3.6);
        let _ = write!(out, r#"<path class="gl k{} {class}" d="{path}"/>"#, hue(*key));
    }
    out
}

const EIGHT: [u16; 8] = [1, 4, 1, 1, 4, 1, 4, 4];
const NINE: [u16; 9] = [1, 4, 1, 1, 4, 1, 4, 4, 1];
const FLAG: &str = r#"<path class="pen" d="M8 2h8l-2.4 3.2l2.4 3.2h-6.4v3.6h-1.6z"/>"#;
const WATERMARK: &str = r#"<path class="hw" d="M114 13v26l4 5h-8l4 -5"/>"#;
const END: &str = r#"<path class="leo" d="M118 19h4v14h-4"/>"#;

fn strip(kind: &str) -> String {
    format!(
        r#"<rect class="strip {kind}" x="8" y="16" width="134" height="20" rx="2"/><rect class="sp1" x="8" y="16" width="6" height="20"/><rect class="spo" x="8" y="16" width="6" height="20"/>"#
    )
}

fn led(keys: &[u16], rest: &str) -> String {
    format!("{}{}{rest}", strip("lead"), records(keys, 24.0, 26.0, ""))
}

fn copy(kind: &str, keys: &[u16], class: &str, rest: &str) -> String {
    format!("{}{}{rest}", strip(kind), records(keys, 24.0, 26.0, class))
}

fn capsule() -> String {
    format!(
        r#"<path class="lnk act" d="M8 26H142"/><rect class="caps" x="48" y="15" width="54" height="22" rx="11"/>{}"#,
        records(&[1, 4, 1], 63.0, 26.0, "")
    )
}

/// One figure: title, words, drawing.
type Figure = (&'static str, &'static str, String);

fn sections() -> [(&'static str, Vec<Figure>); 5] {
    let hexagon = |class: &str| {
        format!(r#"<path class="hexa {class}" d="M28 11L41 18.5V33.5L28 41L15 33.5V18.5z"/>"#)
    };
    [
        (
            "Replicas",
            vec![
                (
                    "Leader",
                    "Solid records, heavy edge, flag. One flag per partition: who takes writes.",
                    led(&EIGHT, &format!("{FLAG}{WATERMARK}{END}")),
                ),
                (
                    "Follower, in sync",
                    "Hollow records: a copy. Same columns, so gaps show.",
                    copy("", &EIGHT, "ho", &format!("{WATERMARK}{END}")),
                ),
                (
                    "Out of sync",
                    "Dashed amber edge, and a hatched hole where records are missing.",
                    copy("oos", &EIGHT[..5], "ho", r#"<path class="leo" d="M80 19h4v14h-4"/><rect class="gap" x="86" y="20" width="32" height="12"/>"#),
                ),
                (
                    "Offline",
                    "Grey outlines, dotted edge, a cross. The data is on disk; nobody can reach it.",
                    copy("off", &EIGHT, "dead", r#"<path class="xbad" d="M128 22l8 8m0-8l-8 8"/>"#),
                ),
                (
                    "Preferred, not leading",
                    "Hollow flag: first in the replica list, but another broker leads. Run an election.",
                    copy("", &EIGHT, "ho", &format!("{}{END}", FLAG.replace("pen", "penl"))),
                ),
                (
                    "Being reassigned",
                    "Dotted target that fills from the left.",
                    copy("adding", &EIGHT[..3], "ho", ""),
                ),
            ],
        ),
        (
            "Brokers and controllers",
            vec![
                ("Running", "A quiet card. Health makes no noise.", r#"<rect class="rack" x="8" y="8" width="134" height="38" rx="6"/><text x="20" y="32" class="tb tl">Broker 1</text>"#.into()),
                ("Crashed, then fenced", "Dashed red edge and the words. Fenced: the controller took its leaderships.", r#"<rect class="rack down" x="8" y="8" width="134" height="38" rx="6"/><text x="20" y="26" class="tb tl tbad">Broker 2</text><text x="20" y="40" class="tbad">Crashed, fenced</text>"#.into()),
                ("Draining", "Leaderships leave before it stops: controlled shutdown.", r#"<rect class="rack" x="8" y="8" width="134" height="38" rx="6"/><text x="20" y="32" class="tb tl">Broker 3</text><path class="drain" d="M96 21v12m-4-4l4 5l4-5M112 21v12m-4-4l4 5l4-5"/>"#.into()),
                ("Active controller", "Hexagons are controllers. Filled with a flag: leader of the metadata log.", format!(r#"{}<path class="hexf" d="M24 19h9l-2.6 3.4l2.6 3.4h-7v6h-2z"/><text x="52" y="30" class="tm tb">1 active</text>"#, hexagon("act"))),
                ("Voter", "Hollow hexagon: can vote and take over.", format!(r#"{}<text x="52" y="30" class="tm t2">2 voter</text>"#, hexagon(""))),
                ("Links: live, broken", "Records ride on links. A broken one is dashed red with a cross.", format!(r#"<path class="lnk act" d="M8 16H142"/>{}<path class="lnk dead" d="M8 38H142"/><rect class="patch" x="66" y="30" width="16" height="16"/><path class="xbad" d="M69 33l10 10m0-10l-10 10"/>"#, records(&[1], 50.0, 16.0, "") + &records(&[2], 92.0, 16.0, ""))),
            ],
        ),
        (
            "Positions in a log",
            vec![
                ("Log start offset", "Left bracket: everything before it was deleted.", format!(r#"<rect class="seg1 gone" x="8" y="16" width="30" height="20"/><rect class="strip" x="42" y="16" width="100" height="20" rx="2"/>{}<path class="leo lgst" d="M46 18h-4v16h4"/>"#, records(&[1, 4, 1], 62.0, 26.0, ""))),
                ("High watermark", "A post with a foot. Consumers read up to here; hatched records wait.", led(&NINE, r#"<rect class="unc" x="98" y="18" width="32" height="16"/><path class="hw" d="M97 13v26l4 5h-8l4 -5"/><path class="leo" d="M131 19h4v14h-4"/>"#)),
                ("Last stable offset", "Violet post with a diamond foot: where read_committed stops.", led(&NINE, r#"<path class="lso" d="M73 13v26l4.5 4.5l-4.5 4.5l-4.5 -4.5l4.5 -4.5"/><path class="leo" d="M131 19h4v14h-4"/>"#)),
                ("Log end offset", "Right bracket: the next record goes here.", led(&EIGHT, r#"<path class="leo lgst" d="M118 18h5v16h-5"/>"#)),
                ("Committed offset, lag", "The thick post is what the group has committed. Hatching is what it has yet to read.", r#"<rect class="bed" x="8" y="19" width="128" height="14"/><rect class="read" x="8" y="23" width="78" height="6"/><rect class="lag" x="87" y="20" width="48" height="12"/><path class="cmt" d="M86 15v22"/><path class="leo" d="M137 18h4v16h-4"/>"#.into()),
                ("Segments", "A gap in the edge. The heavy box is the active one, the only one that grows.", format!(r#"<rect class="seg1" x="8" y="16" width="40" height="20" rx="2"/><rect class="seg1" x="52" y="16" width="40" height="20" rx="2"/><rect class="seg1 active" x="96" y="16" width="46" height="20" rx="2"/>{}{}{}"#, records(&[1, 4], 22.0, 26.0, ""), records(&[4, 1], 66.0, 26.0, ""), records(&[1, 4], 110.0, 26.0, ""))),
            ],
        ),
        (
            "Records and batches",
            vec![
                ("Key", "One hue and one shape per key. Shape is enough on its own.", records(&[1, 2, 3, 4, 5, 6], 16.0, 26.0, "")),
                ("No key", "Hollow grey ring: the sticky partitioner chose.", records(&[0, 0, 0], 16.0, 26.0, "")),
                ("Tombstone", "A struck, hollow record: the value is null, so the key will go.", format!(r#"<rect class="seg1" x="8" y="12" width="28" height="28" rx="3"/>{}<path class="strike" d="M14 34l16 -16"/>"#, records(&[4], 22.0, 26.0, "ho"))),
                ("Control record", "No key. A tick commits, a cross aborts.", r#"<rect class="seg1" x="8" y="12" width="28" height="28" rx="3"/><rect class="seg1" x="44" y="12" width="28" height="28" rx="3"/><path class="span" d="M15 26l5 6l9-12M51 19l14 14m0-14l-14 14"/>"#.into()),
                ("Transactional batch", "Double violet edge.", format!(r#"<rect class="bat txn" x="8" y="10" width="64" height="32" rx="5"/><rect class="bat in" x="12" y="14" width="56" height="24" rx="3"/>{}"#, records(&[2, 6], 34.0, 26.0, ""))),
                ("Compressed batch", "A crimped lower edge and the codec's name: fewer bytes, same records.", format!(r#"<rect class="bat" x="8" y="10" width="86" height="32" rx="5"/><path class="crimp" d="M14 42v-4h3v4M20 42v-4h3v4M26 42v-4h3v4M32 42v-4h3v4M38 42v-4h3v4M44 42v-4h3v4M50 42v-4h3v4M56 42v-4h3v4M62 42v-4h3v4M68 42v-4h3v4M74 42v-4h3v4M80 42v-4h3v4M86 42v-4h3v4"/>{}<text x="100" y="30" class="t2">zstd</text>"#, records(&[4, 5, 2], 34.0, 25.0, ""))),
            ],
        ),
        (
            "Traffic and attention",
            vec![
                ("Produce request", "A capsule carries the batch; each glyph is one record.", capsule()),
                ("Ack and fetch", "A ring with a tick goes back. A fetch is an empty ring: a question, no data.", r#"<path class="lnk act" d="M8 16H142"/><circle class="caps" cx="70" cy="16" r="7"/><path class="drain" d="M67 16l2.5 2.5l4 -5"/><path class="lnk" d="M8 38H142"/><circle class="caps" cx="70" cy="38" r="6"/>"#.into()),
                ("Replication", "Dotted and vertical, always. Client traffic is solid and horizontal.", format!(r#"<path class="rep" d="M38 4V46"/><path class="repa" d="M34 43h8l-4 6z"/>{}<path class="lnk act" d="M68 26H142"/>{}"#, records(&[1], 38.0, 24.0, ""), records(&[2], 104.0, 26.0, ""))),
                ("Marker", "Yellow means: this is what we are talking about. One place at a time.", format!(r#"<rect class="mk" x="2" y="4" width="146" height="42" rx="5"/><text x="24" y="16" class="tm tb onmk">orders-1</text><rect class="strip lead" x="10" y="21" width="130" height="18" rx="2"/>{}"#, records(&[2, 5, 2, 5, 2], 24.0, 30.0, ""))),
                ("Timeline marks", "Tick: a command. Cross: a failure. Flag: an election. Turn: a rebalance. Triangle: the ISR shrank.", r#"<rect class="seg1" x="8" y="32" width="134" height="12" rx="2"/><path class="cmt" d="M22 34v8M30 34v8M46 34v8M92 34v8"/><path class="xbad" d="M36 12l8 8m0-8l-8 8"/><path class="span" d="M60 24V12h10l-2 3l2 3h-10"/><path class="drain" d="M86 14a5 5 0 1 0 4 -2l-4 2v-4"/><path class="drain" d="M112 12l6 10h-12zM112 16v3"/>"#.into()),
                ("Topic", "A spine with a pattern left of each strip; the tint is only a second cue.", (1..=4).fold(String::new(), |mut out, each| {
                    let x = -22 + each * 34;
                    let _ = write!(out, r#"<rect class="sp{each}" x="{x}" y="10" width="14" height="32"/><rect class="spp{each}" x="{x}" y="10" width="14" height="32"/><rect class="spo" x="{x}" y="10" width="14" height="32"/>"#);
                    out
                })),
            ],
        ),
    ]
}

/// The sheet.
pub fn legend() -> impl IntoView {
    view! {
        <div class="cols" tabindex="0" role="group" aria-label="Legend">
            <svg width="0" height="0" class="away" aria-hidden="true">
                <defs inner_html=PATTERNS></defs>
            </svg>
            {sections()
                .into_iter()
                .map(|(name, figures)| {
                    view! {
                        <section>
                            <h3>{name}</h3>
                            {figures
                                .into_iter()
                                .map(|(title, words, drawing)| {
                                    view! {
                                        <figure>
                                            <svg class="dg" viewBox="0 0 150 54" aria-hidden="true" inner_html=drawing></svg>
                                            <figcaption>
                                                <b>{title}</b>
                                                {words}
                                            </figcaption>
                                        </figure>
                                    }
                                })
                                .collect_view()}
                        </section>
                    }
                })
                .collect_view()}
        </div>
    }
}
