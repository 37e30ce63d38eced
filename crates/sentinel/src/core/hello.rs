//! How Sentinels find each other: each announces itself, and the newest configuration it knows, on a channel of every node.

use super::link::Asked;
use super::{Addr, Core, HELLO_CHANNEL, Level, Master, Peer, Who};

/// `ip,port,id,epoch,master,master-ip,master-port,master-config-epoch`
pub(crate) const TOKENS: usize = 8;

/// An announcement.
#[derive(Debug, PartialEq, Eq)]
struct Hello<'a> {
    addr: Addr,
    id: &'a str,
    epoch: u64,
    master: &'a str,
    master_addr: Addr,
    config_epoch: u64,
}

impl<'a> Hello<'a> {
    fn parse(message: &'a str) -> Option<Hello<'a>> {
        let words: Vec<&str> = message.split(',').collect();
        let [
            ip,
            port,
            id,
            epoch,
            master,
            master_ip,
            master_port,
            config_epoch,
        ] = words[..]
        else {
            return None;
        };
        Some(Hello {
            addr: Addr::new(ip, port.parse().ok()?),
            id,
            epoch: epoch.parse().ok()?,
            master,
            master_addr: Addr::new(master_ip, master_port.parse().ok()?),
            config_epoch: config_epoch.parse().ok()?,
        })
    }
}

impl Core {
    /// Announces this Sentinel, and the master as it knows it, to a member.
    pub(crate) fn announce_to(&mut self, master: &mut Master, who: &Who) {
        let Some(instance) = master.instance(who) else {
            return;
        };
        let link = instance.link;
        let own_ip = match self.options.announce_ip.is_empty() {
            false => self.options.announce_ip.clone(),
            true => self.links.get(link).local_ip.clone(),
        };
        let own_port = match self.options.announce_port {
            0 => self.options.port,
            port => port,
        };
        let current = master.current_addr();
        let message = format!(
            "{own_ip},{own_port},{},{},{},{},{},{}",
            self.id,
            self.epoch,
            master.instance.name,
            self.shown(&current.host),
            current.port,
            master.config_epoch
        );
        let words = ["PUBLISH", HELLO_CHANNEL, &message];
        if self.request(master, who, Asked::Hello, &words)
            && let Some(instance) = master.instance_mut(who)
        {
            instance.last_publish = Some(self.now);
        }
    }

    /// Everybody learns of a change now, not at the next announcement.
    pub(crate) fn announce_at_once(&mut self, master: &mut Master) {
        for who in master.members() {
            self.announce_to(master, &who);
        }
    }

    pub(crate) fn hello_received(&mut self, message: &str) {
        let Some(hello) = Hello::parse(message) else {
            return;
        };
        if hello.id == self.id || hello.id.len() != self.id.len() {
            return;
        }
        let replaced = self.with_master(hello.master, |core, master| {
            let replaced = core.meet(master, &hello);
            core.learn(master, &hello);
            replaced
        });
        for id in replaced.into_iter().flatten() {
            for name in self.master_names() {
                self.with_master(&name, |core, master| core.remove_peer(master, &id));
            }
        }
        self.same_address_everywhere(&hello);
    }

    /// A Sentinel that is new, has moved, or took the place of others: their ids.
    fn meet(&mut self, master: &mut Master, hello: &Hello<'_>) -> Vec<String> {
        let who = Who::Peer(hello.id.to_string());
        let now = self.now;
        if let Some(peer) = master.peers.get_mut(hello.id) {
            peer.last_hello = now;
            if self.same_addr(&master.peers[hello.id].instance.addr, &hello.addr) {
                return Vec::new();
            }
        }
        let moved = master.peers.contains_key(hello.id);
        if moved {
            let more = format!(
                " ip {} port {} for {}",
                hello.addr.host, hello.addr.port, hello.id
            );
            self.event(
                Level::Notice,
                "+sentinel-address-switch",
                master,
                &Who::Master,
                &more,
            );
            self.remove_peer(master, hello.id);
        }
        let is_there = |peer: &&Peer| !moved && self.same_addr(&peer.instance.addr, &hello.addr);
        let replaced: Vec<String> = master
            .peers
            .values()
            .filter(is_there)
            .map(|peer| peer.instance.name.clone())
            .collect();
        for id in &replaced {
            let other = Who::Peer(id.clone());
            self.event(Level::Notice, "+sentinel-invalid-addr", master, &other, "");
            self.remove_peer(master, id);
        }
        self.add_peer(master, hello.id, hello.addr.clone());
        if !moved {
            self.event(Level::Notice, "+sentinel", master, &who, "");
        }
        self.save();
        replaced
    }

    /// Its epoch and its configuration, if they are newer.
    fn learn(&mut self, master: &mut Master, hello: &Hello<'_>) {
        if hello.epoch > self.epoch {
            self.epoch = hello.epoch;
            self.save();
            let epoch = self.epoch.to_string();
            self.tell(Level::Warning, "+new-epoch", master, epoch);
        }
        let differs = !self.same_addr(&hello.master_addr, master.current_addr());
        // Two forced failovers at the same time may have taken the same epoch: everybody prefers the same one of them.
        let tie = hello.config_epoch == master.config_epoch && hello.config_epoch > 0;
        let wins_tie =
            tie && differs && addr_key(&hello.master_addr) < addr_key(master.current_addr());
        if hello.config_epoch <= master.config_epoch && !wins_tie {
            return;
        }
        master.config_epoch = hello.config_epoch;
        if !differs {
            self.save();
            return;
        }
        let who = Who::Peer(hello.id.to_string());
        let old = master.instance.addr.clone();
        let new = hello.master_addr.clone();
        self.event(Level::Warning, "+config-update-from", master, &who, "");
        self.announce_switch(master, &new);
        self.switch_to(master, new.clone());
        self.run_reconfig_script(master, "observer", &old, &new);
    }

    /// The same Sentinel is at the same place in every group.
    fn same_address_everywhere(&mut self, hello: &Hello<'_>) {
        let mut updated = 0;
        for name in self.master_names() {
            self.with_master(&name, |core, master| {
                let Some(peer) = master.peers.get(hello.id) else {
                    return;
                };
                if !core.same_addr(&peer.instance.addr, &hello.addr) {
                    core.remove_peer(master, hello.id);
                    core.add_peer(master, hello.id, hello.addr.clone());
                    updated += 1;
                }
            });
        }
        if updated > 0 {
            self.with_master(hello.master, |core, master| {
                let who = Who::Peer(hello.id.to_string());
                let more = format!(" {updated} additional matching instances");
                core.event(
                    Level::Notice,
                    "+sentinel-address-update",
                    master,
                    &who,
                    &more,
                );
            });
            self.save();
        }
    }

    /// The event that clients wait for.
    pub(crate) fn announce_switch(&mut self, master: &Master, new: &Addr) {
        let old = &master.instance.addr;
        let message = format!(
            "{} {} {} {} {}",
            master.instance.name,
            self.shown(&old.host),
            old.port,
            self.shown(&new.host),
            new.port
        );
        self.tell(Level::Warning, "+switch-master", master, message);
    }

    pub(crate) fn run_reconfig_script(
        &mut self,
        master: &Master,
        role: &str,
        from: &Addr,
        to: &Addr,
    ) {
        let Some(script) = &master.client_reconfig_script else {
            return;
        };
        let argv = vec![
            script.clone(),
            master.instance.name.clone(),
            role.to_string(),
            "start".to_string(),
            self.shown(&from.host),
            from.port.to_string(),
            self.shown(&to.host),
            to.port.to_string(),
        ];
        self.schedule_script(argv);
    }
}

fn addr_key(addr: &Addr) -> (&str, u16) {
    (&addr.host, addr.port)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn an_announcement_has_eight_words() {
        let id = "a".repeat(40);
        let text = format!("10.0.0.9,26379,{id},3,mymaster,10.0.0.1,6379,2");
        let hello = Hello::parse(&text).unwrap();
        assert_eq!(hello.addr, Addr::new("10.0.0.9", 26379));
        assert_eq!((hello.epoch, hello.config_epoch), (3, 2));
        assert_eq!(hello.master_addr, Addr::new("10.0.0.1", 6379));
        for bad in [
            "",
            "a,b",
            "h,x,i,3,m,h,1,2",
            "h,70000,i,3,m,h,1,2",
            "h,1,i,-3,m,h,1,2",
            "h,1,i,3,m,h,1,2,9",
        ] {
            assert_eq!(Hello::parse(bad), None, "{bad}");
        }
    }
}
