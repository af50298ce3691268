//! Messages survive their bytes; wrong bytes say what is wrong.

use playground::seam::*;
use playground::view::{Frame, Level, Part, Sentence, SentenceKind, Subject};
use simulation::Micros;

#[test]
fn messages_survive_their_bytes() {
    let to = [
        ToEngine::Input {
            terminal: 1,
            input: TerminalInput::Edit { edit: 7, text: "kafka-to".into(), cursor: 8 },
        },
        ToEngine::Run {
            terminal: 0,
            command: "docker compose kill kafka2".into(),
            tag: "from click".into(),
        },
        ToEngine::SetSpeed(Speed::MAX),
        ToEngine::Subscribe(Subscription {
            inspect: Some(Subject::Broker(2)),
            ..Subscription::default()
        }),
    ];
    for message in to {
        assert_eq!(decode::<ToEngine>(&encode(&message)), Ok(message));
    }
    let sentence = Sentence {
        id: 3,
        at: Micros::from_secs(9),
        until: None,
        kind: SentenceKind::Failure,
        level: Level::Bad,
        important: true,
        cause: Some(2),
        subject: Some(Subject::Broker(2)),
        parts: vec![
            Part::Strong("Broker 2".into()),
            Part::Text(" sent no heartbeat for 9 s.".into()),
        ],
        actions: vec![],
    };
    assert_eq!(sentence.plain(), "Broker 2 sent no heartbeat for 9 s.");
    let from = [
        FromEngine::Narrative(vec![sentence]),
        FromEngine::Frame(Box::new(Frame { full: true, ..Frame::default() })),
        FromEngine::Storage(StorageState::Newer { found: 9, newest: 1 }),
    ];
    for message in from {
        assert_eq!(decode::<FromEngine>(&encode(&message)), Ok(message));
    }
}

#[test]
fn wrong_bytes_say_what_is_wrong() {
    let good = encode(&ToEngine::Play);
    let mut newer = good.clone();
    newer[2] = 9;
    let mut longer = good.clone();
    longer.push(0);
    let cases = [
        (Vec::new(), SeamError::Foreign),
        (b"PK\x01\x00\x03".to_vec(), SeamError::Foreign),
        (newer, SeamError::Version { found: 9, ours: VERSION }),
        (longer, SeamError::Damaged),
    ];
    for (bytes, error) in cases {
        assert_eq!(decode::<ToEngine>(&bytes), Err(error), "{bytes:?}");
    }
    assert_eq!(decode::<ToEngine>(&good[..4]), Err(SeamError::Damaged));
    assert!(SeamError::Version { found: 9, ours: 1 }.to_string().contains("Reload the page"));
}
