//! What arrives on connections: replies to what was asked, and announcements of other Sentinels.

use super::instance::Use;
use super::link::{Asked, Pending};
use super::{ConnId, Core, HELLO_CHANNEL, Master, Who};
use front::sentinel_channel;
use resp::Frame;

impl Core {
    pub(crate) fn received(&mut self, conn: ConnId, frame: Frame) {
        let Some(usage) = self.links.usage(conn) else {
            return;
        };
        let now = self.now;
        let link = self.links.get_mut(usage.link);
        match usage.usage {
            Use::Subscription => {
                link.subscription_heard = now;
                if link.introductions > 0 {
                    link.introductions -= 1;
                    return;
                }
                if frame.as_error().is_some() {
                    // It will not let us listen: not without another password, most likely.
                    return self.close_conn(usage.link, Use::Subscription);
                }
                self.message(usage.link, &frame);
            }
            Use::Commands => {
                let Some(Pending { asked, target }) = link.pending.pop_front() else {
                    return;
                };
                self.with_master(&target.master.clone(), |core, master| {
                    core.reply(master, &target.who, asked, &frame);
                });
            }
        }
    }

    fn reply(&mut self, master: &mut Master, who: &Who, asked: Asked, frame: &Frame) {
        if master.instance(who).is_none() {
            return;
        }
        match asked {
            Asked::Nothing => {}
            Asked::Ping => self.ping_answered(master, who, frame),
            Asked::Info => {
                if let Some(text) = frame.as_bytes().filter(|_| frame.as_error().is_none()) {
                    let text = String::from_utf8_lossy(text).into_owned();
                    self.info_received(master, who, text);
                }
            }
            Asked::Hello => {
                if frame.as_error().is_none()
                    && let Some(instance) = master.instance_mut(who)
                {
                    instance.last_publish = Some(self.now);
                }
            }
            Asked::MasterDown => {
                if let Who::Peer(name) = who {
                    self.peer_answered(master, name, frame);
                }
            }
            // Whatever came of it, the node says so itself.
            Asked::RoleChange => self.ask_info(master, who),
            Asked::HandOver => self.hand_over_answered(master, frame),
        }
    }

    fn ping_answered(&mut self, master: &mut Master, who: &Who, frame: &Frame) {
        let instance = master.instance(who).expect("checked by the caller");
        let (id, s_down, kill_sent) = (
            instance.link,
            instance.is_s_down(),
            instance.script_kill_sent,
        );
        let text = match frame {
            Frame::Simple(text) | Frame::Error(text) => text.as_slice(),
            _ => b"",
        };
        let pong = text.starts_with(b"PONG");
        let works = pong || text.starts_with(b"LOADING") || text.starts_with(b"MASTERDOWN");
        let now = self.now;
        let link = self.links.get_mut(id);
        link.last_reply = now;
        if works {
            link.last_ok_reply = now;
            link.waiting_since = None;
            self.stirred |= s_down;
        }
        let connected_since = link.commands_since;
        let instance = master.instance_mut(who).expect("checked by the caller");
        if pong {
            instance.rebooted_at = None;
            // Another process answers there by now.
            instance.leaving_since = instance
                .leaving_since
                .filter(|since| connected_since <= *since);
        }
        // A script that never ends makes a node as good as dead; one that wrote nothing can be ended.
        if text.starts_with(b"BUSY") && s_down && !kill_sent {
            instance.script_kill_sent = true;
            self.request(master, who, Asked::Nothing, &["SCRIPT", "KILL"]);
        }
    }

    /// A message of a subscription: a Sentinel announces itself, or a node hints that something about it changed.
    fn message(&mut self, link: super::link::LinkId, frame: &Frame) {
        let Some([kind, channel, message]) = frame.as_items() else {
            return;
        };
        if kind.as_bytes() == Some(b"subscribe") {
            self.links.get_mut(link).subscribed = Some(true);
        }
        if kind.as_bytes() != Some(b"message")
            || channel.as_bytes() != Some(HELLO_CHANNEL.as_bytes())
        {
            return;
        }
        let message = String::from_utf8_lossy(message.as_bytes().unwrap_or_default());
        if message.split(',').count() == super::hello::TOKENS {
            self.hello_received(&message);
            return;
        }
        let Some(target) = self.user_of(link) else {
            return;
        };
        self.with_master(&target.master.clone(), |core, master| {
            if message == sentinel_channel::LEAVING
                && let Some(instance) = master.instance_mut(&target.who)
            {
                instance.leaving_since = Some(core.now);
            }
            core.ask_info(master, &target.who);
        });
    }
}
