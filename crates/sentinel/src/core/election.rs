//! Who leads a failover: one vote per Sentinel and epoch, first come first served; the leader needs the votes of a majority
//! of all known Sentinels, and of the quorum.

use super::{Core, Level, Master, Millis};
use std::collections::BTreeMap;

/// A candidate's vote, as far as it is known.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Outcome<'a> {
    Won(&'a str),
    /// Every vote is in and nobody has enough of them: the next epoch may begin at once.
    Split,
    /// Votes are missing.
    Open,
}

/// Counts votes. `votes` has a candidate for each Sentinel whose vote is known; there are `voters` in all.
pub(crate) fn count<'a>(votes: &[&'a str], voters: usize, quorum: usize) -> Outcome<'a> {
    let needed = (voters / 2 + 1).max(quorum);
    let mut tally: BTreeMap<&str, usize> = BTreeMap::new();
    for &candidate in votes {
        *tally.entry(candidate).or_default() += 1;
    }
    let most = tally.iter().max_by_key(|(_, votes)| **votes);
    let best = most.map_or(0, |(_, votes)| *votes);
    match most {
        Some((candidate, _)) if best >= needed => Outcome::Won(candidate),
        _ if best + (voters - votes.len()) < needed => Outcome::Split,
        _ => Outcome::Open,
    }
}

/// How long voters that gave their vote away leave the leader alone, in failover timeouts.
const LEADER_TIMEOUTS: u64 = 2;
/// Voting moves a Sentinel's own attempt by up to this much, so that two do not try at once.
const DESYNC_MS: Millis = 1000;

impl Core {
    /// Gives this Sentinel's vote of an epoch, if it still has it, and tells whom it voted for. What it answers is on disk
    /// first: it must not vote twice, even after a crash.
    pub(crate) fn vote(
        &mut self,
        master: &mut Master,
        epoch: u64,
        candidate: &str,
    ) -> (String, u64) {
        if epoch > self.epoch {
            self.epoch = epoch;
            self.save();
            self.tell(Level::Warning, "+new-epoch", master, epoch.to_string());
        }
        // Who leads a failover that has begun to change nodes has nothing to give to another leader meanwhile.
        let leads = candidate != self.id
            && master
                .failover
                .as_ref()
                .is_some_and(|failover| failover.is_elected());
        if master.leader_epoch < epoch && self.epoch <= epoch && !leads {
            master.leader = Some(candidate.to_string());
            master.leader_epoch = self.epoch;
            self.save();
            let text = format!("{candidate} {}", master.leader_epoch);
            self.tell(Level::Warning, "+vote-for-leader", master, text);
            if candidate != self.id {
                let wait = master.failover_timeout * LEADER_TIMEOUTS + self.random_below(DESYNC_MS);
                master.failover_not_before = self.now + wait;
                master.delay_logged = false;
            }
        }
        (
            master.leader.clone().unwrap_or_default(),
            master.leader_epoch,
        )
    }

    /// A peer asks whether the master at an address is down, and for a vote unless the candidate is `*`. What it is told: down,
    /// whom this Sentinel voted for (or `*`), and in which epoch.
    pub fn asked_about(
        &mut self,
        ip: &str,
        port: u16,
        epoch: u64,
        candidate: &str,
    ) -> (bool, String, u64) {
        let down = self.sees_down(ip, port);
        let name = self.master_at(ip, port).filter(|_| candidate != "*");
        let vote =
            name.and_then(|name| self.with_master(&name, |core, m| core.vote(m, epoch, candidate)));
        match vote {
            Some((leader, epoch)) if !leader.is_empty() => (down, leader, epoch),
            _ => (down, "*".to_string(), 0),
        }
    }

    /// How the election of this epoch stands. This Sentinel votes for whoever leads among the others, or else for itself.
    pub(crate) fn election(&mut self, master: &mut Master, epoch: u64) -> (Option<String>, bool) {
        let of_peers: Vec<String> = master
            .peers
            .values()
            .filter(|peer| peer.leader_epoch == epoch)
            .filter_map(|peer| peer.leader.clone())
            .collect();
        let mut tally: BTreeMap<&str, usize> = BTreeMap::new();
        for candidate in &of_peers {
            *tally.entry(candidate).or_default() += 1;
        }
        let favourite = tally.into_iter().max_by_key(|(_, votes)| *votes);
        let favourite = favourite.map_or(self.id.clone(), |(candidate, _)| candidate.to_string());
        let (mine, my_epoch) = self.vote(master, epoch, &favourite);
        let mut votes: Vec<&str> = of_peers.iter().map(String::as_str).collect();
        if my_epoch == epoch {
            votes.push(&mine);
        }
        let voters = master.peers.len() + 1;
        match count(&votes, voters, master.quorum as usize) {
            Outcome::Won(leader) => (Some(leader.to_string()), false),
            Outcome::Split => (None, true),
            Outcome::Open => (None, false),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_leader_needs_the_majority_of_all_and_the_quorum() {
        assert_eq!(count(&["a", "a"], 3, 2), Outcome::Won("a"));
        assert_eq!(count(&["a"], 3, 1), Outcome::Open);
        assert_eq!(count(&["a", "a"], 4, 2), Outcome::Open);
        assert_eq!(count(&["a", "a", "a"], 5, 4), Outcome::Open);
        assert_eq!(count(&["a", "a", "a", "b", "b"], 5, 4), Outcome::Split);
        assert_eq!(count(&["a"], 1, 1), Outcome::Won("a"));
    }

    #[test]
    fn an_election_is_split_only_when_nobody_can_win_any_more() {
        assert_eq!(count(&["a", "b"], 3, 2), Outcome::Open);
        assert_eq!(count(&["a", "b", "c"], 3, 2), Outcome::Split);
        assert_eq!(count(&["a", "b", "c", "d"], 5, 2), Outcome::Split);
        assert_eq!(count(&["a", "a", "b", "b"], 5, 2), Outcome::Open);
    }
}
