//! Asking nodes and Sentinels how they are.

use client::{Address, Client};
use resp::Frame;
use std::collections::HashMap;
use std::time::Duration;

/// Nobody healthy takes longer to answer.
const PATIENCE: Duration = Duration::from_millis(500);

/// A node or a Sentinel, by where it listens.
pub(crate) type Place = (String, u16);

/// A connection; None if nobody answers there.
pub(crate) fn connect(place: &Place, patience: Duration) -> Option<Client> {
    Client::connect(&Address::Tcp(place.0.clone(), place.1), patience).ok()
}

/// A text that a node or Sentinel sent, whatever its type.
pub(crate) fn text(frame: &Frame) -> Option<String> {
    match frame {
        Frame::Simple(bytes) | Frame::Bulk(bytes) | Frame::Error(bytes) => {
            Some(String::from_utf8_lossy(bytes).into_owned())
        }
        Frame::Integer(number) => Some(number.to_string()),
        _ => None,
    }
}

/// The fields of INFO; None if nobody answers in time.
pub(crate) fn info(place: &Place) -> Option<HashMap<String, String>> {
    let reply = connect(place, PATIENCE)?.call(&["INFO"]).ok()?;
    let lines = text(&reply)?;
    let fields = lines.lines().filter_map(|line| line.split_once(':'));
    Some(
        fields
            .map(|(name, value)| (name.to_string(), value.trim_end().to_string()))
            .collect(),
    )
}

/// The master of this name, as a Sentinel knows it.
pub(crate) fn master(sentinel: &Place, name: &str) -> Option<Place> {
    let reply = connect(sentinel, PATIENCE)?
        .call(&["SENTINEL", "GET-MASTER-ADDR-BY-NAME", name])
        .ok()?;
    match &reply {
        Frame::Array(words) => Some((text(words.first()?)?, text(words.get(1)?)?.parse().ok()?)),
        _ => None,
    }
}

/// The replicas of this master, as a Sentinel knows them.
pub(crate) fn replicas(sentinel: &Place, name: &str) -> Option<Vec<Place>> {
    let reply = connect(sentinel, PATIENCE)?
        .call(&["SENTINEL", "REPLICAS", name])
        .ok()?;
    let Frame::Array(replicas) = reply else {
        return None;
    };
    let place = |replica: &Frame| {
        let Frame::Array(words) = replica else {
            return None;
        };
        let field = |name: &str| {
            let at = words
                .iter()
                .position(|word| text(word).as_deref() == Some(name))?;
            text(words.get(at + 1)?)
        };
        Some((field("ip")?, field("port")?.parse().ok()?))
    };
    Some(replicas.iter().filter_map(place).collect())
}
