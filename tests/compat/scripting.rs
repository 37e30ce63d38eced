//! Scripts and functions: values both ways, errors with their place, what scripts may not do, libraries.

use tests::compat::{same, same_with};

#[test]
fn values_go_from_lua_to_the_reply() {
    same(
        r##"
        EVAL "return 1" 0
        EVAL "return 1.9" 0
        EVAL "return 'a'" 0
        EVAL "return {1,2,nil,4}" 0
        EVAL "return {1,{2,'x'},3.7}" 0
        EVAL "return {ok='fine'}" 0
        EVAL "return {err='bad'}" 0
        EVAL "return {err='ERR a\\r\\nb'}" 0
        EVAL "return {ok='a\\r\\nb'}" 0
        EVAL "return true" 0
        EVAL "return false" 0
        EVAL "return nil" 0
        EVAL "return {true,false,1}" 0
        EVAL "redis.setresp(3) return {true,false,1}" 0
        EVAL "return {double=1.5}" 0
        EVAL "return {map={a=1}}" 0
        EVAL "return {set={a=1}}" 0
        EVAL "return {big_number='12\\n3'}" 0
        EVAL "return {verbatim_string={format='txt',string='a'}}" 0
        EVAL "return {ok=1}" 0
        EVAL "return {[1]=1,foo=2}" 0
        EVAL "return 10/0" 0
        EVAL "return 0/0" 0
        EVAL "return 9007199254740993" 0
        EVAL "return redis" 0
        EVAL "return {KEYS,ARGV}" 2 a b c d
        EVAL "KEYS[1]='x' return KEYS[1]" 1 a
        "##,
    );
}

#[test]
fn replies_go_to_lua() {
    same(
        r##"
        HSET h f 1
        ZADD z 1.5 a
        SADD s a
        SET k v
        EVAL "return redis.call('get','k')" 0
        EVAL "return redis.call('get','none')==false" 0
        EVAL "redis.setresp(3) return redis.call('get','none')==nil" 0
        EVAL "return redis.call('hgetall','h')" 0
        EVAL "redis.setresp(3) return redis.call('hgetall','h')" 0
        EVAL "redis.setresp(3) local r=redis.call('hgetall','h') return {type(r.map), r.map.f}" 0
        EVAL "redis.setresp(3) return redis.call('zscore','z','a')" 0
        EVAL "redis.setresp(3) local r=redis.call('zscore','z','a') return tostring(r.double)" 0
        EVAL "redis.setresp(3) local r=redis.call('smembers','s') return tostring(r.set.a)" 0
        EVAL "return redis.call('set','k',1.5) and redis.call('get','k')" 0
        EVAL "return redis.call('set','k',0.1) and redis.call('get','k')" 0
        EVAL "return redis.call('set','k',1e100) and redis.call('get','k')" 0
        EVAL "return redis.call('ping').ok" 0
        EVAL "return coroutine.wrap(function() return redis.call('ping') end)()" 0
        EVAL "redis.call('select',1) redis.call('set','there','1') return redis.call('dbsize')" 0
        DBSIZE
        "##,
    );
}

#[test]
fn errors_say_where_they_happened() {
    same(
        r##"
        LPUSH l a
        EVAL "return redis.call('nosuch')" 0
        EVAL "return redis.pcall('nosuch')" 0
        EVAL "return redis.call('get')" 0
        EVAL "return redis.call('get','l')" 0
        EVAL "return redis.pcall('get','l').err" 0
        EVAL "return redis.call('config','foo')" 0
        EVAL "return redis.call()" 0
        EVAL "return redis.call({})" 0
        EVAL "return redis.call('set','a',true)" 0
        EVAL "local ok,e=pcall(redis.call,'get') return e" 0
        EVAL "local ok,e=pcall(redis.sha1hex) return e" 0
        EVAL "local ok,e=pcall(error,{err='z'}) return e" 0
        EVAL "error('x')" 0
        EVAL "error({err='My'})" 0
        EVAL "error({err='ERR x', foo=1})" 0
        EVAL "error({err='a\\r\\nb'})" 0
        EVAL "error(12)" 0
        EVAL "\n\nreturn foo" 0
        EVAL "local function f()\nerror('deep')\nend\nf()" 0
        EVAL "x = " 0
        EVAL "return string.rep('x',10)..nil" 0
        EVAL "return redis.error_reply('My Err')" 0
        EVAL "return redis.error_reply('-My Err')" 0
        EVAL "return redis.error_reply('x')" 0
        EVAL "return redis.error_reply()" 0
        EVAL "return redis.status_reply('x y')" 0
        EVAL "return redis.status_reply({})" 0
        EVAL "return redis.sha1hex('')" 0
        EVAL "return redis.sha1hex(1,2)" 0
        EVAL "return redis.log(1)" 0
        EVAL "return redis.log(10,'x')" 0
        EVAL "return redis.log('x','y')" 0
        EVAL "redis.setresp(4)" 0
        EVAL "redis.set_repl(7)" 0
        EVAL "return redis.replicate_commands()" 0
        EVAL "return redis.breakpoint()" 0
        EVAL "return redis.acl_check_cmd('get','x')" 0
        EVAL "return redis.acl_check_cmd('nosuch')" 0
        "##,
    );
}

#[test]
fn scripts_cannot_change_what_others_see() {
    same(
        r##"
        EVAL "foo=1" 0
        EVAL "redis.x=1" 0
        EVAL "_G.x=1" 0
        EVAL "rawset(_G,'x',1)" 0
        EVAL "setmetatable(_G,{})" 0
        EVAL "string.x=1" 0
        EVAL "cjson.x=1" 0
        EVAL "cjson.encode=nil" 0
        EVAL "getmetatable('').x=1" 0
        EVAL "getmetatable('').__index=function() return 1 end" 0
        EVAL "getmetatable(_G).__index=1" 0
        EVAL "KEYS={}" 0
        EVAL "return print" 0
        EVAL "return tostring(loadfile)" 0
        EVAL "return tostring(dofile)" 0
        EVAL "return tostring(require)" 0
        EVAL "return tostring(os)" 0
        EVAL "return tostring(debug)" 0
        EVAL "return tostring(setfenv)" 0
        EVAL "return loadstring('return 1')()" 0
        EVAL "return loadstring(string.dump(function() return 1 end))" 0
        EVAL "return redis.call('multi')" 0
        EVAL "return redis.call('eval','return 1',0)" 0
        EVAL "return redis.call('subscribe','x')" 0
        EVAL "return redis.call('blpop','nokey',0)" 0
        EVAL_RO "return redis.call('set','a',1)" 0
        EVAL_RO "return redis.call('get','a')" 0
        "##,
    );
}

#[test]
fn the_first_line_can_declare_flags() {
    same(
        r##"
        EVAL "#!lua\nreturn 1" 0
        EVAL "#!lua flags=no-writes\nreturn redis.call('set','a',1)" 0
        EVAL "#!lua flags=no-writes,allow-oom\nreturn 2" 0
        EVAL "#!lua flags=bad\nreturn 1" 0
        EVAL "#!lua name=x\nreturn 1" 0
        EVAL "#!python\nreturn 1" 0
        EVAL "#!lua" 0
        EVAL "#!lua\nreturn foo" 0
        EVAL_RO "#!lua\nreturn 1" 0
        EVAL_RO "#!lua flags=no-writes\nreturn 1" 0
        "##,
    );
}

#[test]
fn scripts_are_known_by_their_hash() {
    same(
        r##"
        EVAL "return 1"
        EVAL "return 1" x
        EVAL "return 1" -1
        EVAL "return 1" 1
        EVALSHA x 0
        EVALSHA e0e1f9fabfc9d4800c877a703b823ac0578ff8db 0
        SCRIPT LOAD "return 1"
        EVALSHA e0e1f9fabfc9d4800c877a703b823ac0578ff8db 0
        EVALSHA E0E1F9FABFC9D4800C877A703B823AC0578FF8DB 0
        EVALSHA_RO e0e1f9fabfc9d4800c877a703b823ac0578ff8db 0
        SCRIPT EXISTS e0e1f9fabfc9d4800c877a703b823ac0578ff8db E0E1F9FABFC9D4800C877A703B823AC0578FF8DB x
        SCRIPT LOAD "x ="
        SCRIPT LOAD "#!lua flags=bad\nreturn 1"
        SCRIPT FLUSH x
        SCRIPT FLUSH ASYNC
        EVALSHA e0e1f9fabfc9d4800c877a703b823ac0578ff8db 0
        SCRIPT KILL
        SCRIPT DEBUG x
        SCRIPT DEBUG no
        SCRIPT EXISTS
        SCRIPT
        SCRIPT foo
        "##,
    );
}

#[test]
fn the_libraries_do_what_scripts_expect() {
    same(
        r##"
        EVAL "return cjson.encode({1,2,{a='b'}})" 0
        EVAL "return cjson.encode({})" 0
        EVAL "return cjson.encode({0.1,1e15,-3,1/3})" 0
        EVAL "return cjson.encode('a/b\"\\n\\1')" 0
        EVAL "return cjson.encode(cjson.null)" 0
        EVAL "return cjson.encode({[1]=1,[20]=2})" 0
        EVAL "return cjson.encode({[1.5]=1})" 0
        EVAL "return cjson.encode({[{}]=1})" 0
        EVAL "return cjson.encode(function() end)" 0
        EVAL "return cjson.encode(1/0)" 0
        EVAL "local t={} for i=1,1001 do t={t} end return cjson.encode(t)" 0
        EVAL "local t=cjson.decode(ARGV[1]) return {t.a, t.b[2], tostring(t.c), tostring(t.d==cjson.null), t.e}" 0 '{"a":1,"b":[1,"x"],"c":true,"d":null,"e":"\u00e9\ud83d\ude00"}'
        EVAL "return cjson.decode(ARGV[1])" 0 [1,2
        EVAL "return cjson.decode(ARGV[1])" 0 {1:2}
        EVAL "return cjson.decode(ARGV[1])" 0 nope
        EVAL "return cjson.decode(ARGV[1])" 0 "[1] x"
        EVAL "return tostring(cjson.decode(ARGV[1]))" 0 1e3
        EVAL "local t={cmsgpack.unpack(cmsgpack.pack(1,-1,'a',true,nil,1.5,{1,2},{a=1}))} return {t[1],t[2],t[3],tostring(t[4]),tostring(t[5]),tostring(t[6]),t[7],t[8].a}" 0
        EVAL "return cmsgpack.pack(127,128,255,256,65535,65536,4294967296,-32,-33,-129,-40000,-3000000000)" 0
        EVAL "return cmsgpack.pack({1,2,3},{a='b'},0.5,1e300,string.rep('x',40))" 0
        EVAL "return cmsgpack.unpack(ARGV[1])" 0 "\x93\x01\x02"
        EVAL "return cmsgpack.unpack(ARGV[1])" 0 "\xc1"
        EVAL "return {cmsgpack.unpack_one(cmsgpack.pack(1,2,3))}" 0
        EVAL "return {cmsgpack.unpack_limit(cmsgpack.pack(1,2,3),2,1)}" 0
        EVAL "return cmsgpack.unpack_one('a',5)" 0
        EVAL "return cmsgpack.pack()" 0
        EVAL "return struct.pack('>I2<i4bBhHlL',1,-2,3,4,5,6,7,8)" 0
        EVAL "return struct.pack('s','abc')..struct.pack('c2','xyz')..struct.pack('>d',1.5)..struct.pack('f',1.5)" 0
        EVAL "return {struct.unpack('>I2<i4',struct.pack('>I2<i4',258,-2))}" 0
        EVAL "return {struct.unpack('Bc0',struct.pack('Bc0',3,'abc'))}" 0
        EVAL "return struct.size('>I2!4i4')" 0
        EVAL "return struct.unpack('I4','ab')" 0
        EVAL "return struct.pack('y',1)" 0
        EVAL "return {bit.band(7,3),bit.bor(1,2),bit.bxor(7,2),bit.bnot(0),bit.lshift(1,31),bit.rshift(-1,28),bit.arshift(-8,1),bit.rol(1,33),bit.ror(1,1),bit.bswap(1),bit.tobit(4294967295)}" 0
        EVAL "return {bit.tohex(255),bit.tohex(255,4),bit.tohex(-1,-8)}" 0
        EVAL "return bit.band()" 0
        EVAL "math.randomseed(5) return tostring(math.random())" 0
        EVAL "math.randomseed(5) return {math.random(10),math.random(5,6)}" 0
        EVAL "return math.random(0)" 0
        EVAL "return math.random(1,2,3)" 0
        EVAL "local t={} for i=1,7000 do t[i]=i end return #{unpack(t)}" 0
        EVAL "return unpack({},0,1e8)" 0
        "##,
    );
}

#[test]
fn libraries_of_functions_are_loaded_and_called() {
    same(
        r##"
        FUNCTION LOAD "#!lua name=t1\nredis.register_function('f1', function(keys,args) return {keys,args} end)"
        FUNCTION LOAD "#!lua name=t1\nredis.register_function('f1', function() end)"
        FUNCTION LOAD "#!lua name=t2\nredis.register_function('f1', function() return 1 end)"
        FCALL f1 1 a b
        FCALL F1 0
        FCALL_RO f1 0
        FUNCTION LIST
        FUNCTION LIST WITHCODE LIBRARYNAME T*
        FUNCTION LIST foo
        FUNCTION LIST LIBRARYNAME
        FUNCTION STATS
        FUNCTION LOAD REPLACE "#!lua name=t1\nredis.register_function{function_name='f2', callback=function() return redis.call('set','x','y') end, description='d', flags={'no-writes'}}"
        FCALL f1 0
        FCALL f2 0
        FCALL_RO f2 0
        FUNCTION LIST
        FUNCTION LOAD "#!lua name=w\nredis.register_function('w1', function() return redis.call('set','x','y') end)\nredis.register_function('e1', function() error('my') end)\nredis.register_function('e2', function() return foo end)\nredis.register_function('e3', function() foo=1 end)\nredis.register_function('e4', function() redis.register_function('z',function() end) end)"
        FCALL w1 0
        FCALL e1 0
        FCALL e2 0
        FCALL e3 0
        FCALL e4 0
        FCALL w1 x
        FCALL w1 -1
        FCALL w1 2 a
        FUNCTION DELETE nolib
        FUNCTION DELETE w
        FCALL w1 0
        FUNCTION FLUSH x
        FUNCTION FLUSH SYNC
        FUNCTION LIST
        FUNCTION KILL
        FUNCTION
        FUNCTION foo
        "##,
    );
}

#[test]
fn a_wrong_library_is_refused_with_the_reason() {
    same(
        r##"
        FUNCTION LOAD "return 1"
        FUNCTION LOAD "#!lua\nreturn 1"
        FUNCTION LOAD "#!lua name=a b=c\n"
        FUNCTION LOAD "#!foo name=a\n"
        FUNCTION LOAD "#!lua name=a name=b\nx"
        FUNCTION LOAD "#!lua name=bad-name\nx"
        FUNCTION LOAD "#!lua name=a\nreturn 1"
        FUNCTION LOAD "#!lua name=a\nx ="
        FUNCTION LOAD "#!lua name=a\nfoo()"
        FUNCTION LOAD "#!lua name=a\nredis.call('ping')"
        FUNCTION LOAD "#!lua name=a\nx=1"
        FUNCTION LOAD "#!lua name=a\nmath.random()"
        FUNCTION LOAD "#!lua name=a\nredis.register_function()"
        FUNCTION LOAD "#!lua name=a\nredis.register_function('a')"
        FUNCTION LOAD "#!lua name=a\nredis.register_function('a',1)"
        FUNCTION LOAD "#!lua name=a\nredis.register_function('a-b',function() end)"
        FUNCTION LOAD "#!lua name=a\nredis.register_function({1,2},function() end)"
        FUNCTION LOAD "#!lua name=a\nredis.register_function{}"
        FUNCTION LOAD "#!lua name=a\nredis.register_function{function_name='a'}"
        FUNCTION LOAD "#!lua name=a\nredis.register_function{function_name='a',callback=1}"
        FUNCTION LOAD "#!lua name=a\nredis.register_function{function_name='a',callback=function() end,flags=1}"
        FUNCTION LOAD "#!lua name=a\nredis.register_function{function_name='a',callback=function() end,flags={'bad'}}"
        FUNCTION LOAD "#!lua name=a\nredis.register_function{function_name='a',callback=function() end,foo=1}"
        FUNCTION LOAD "#!lua name=a\nredis.register_function('a',function() end) redis.register_function('a',function() end)"
        FUNCTION LOAD foo bar
        FUNCTION LOAD
        FUNCTION LIST
        "##,
    );
}

#[test]
fn a_script_that_does_not_end_can_be_killed_unless_it_wrote() {
    same_with(
        &["--busy-reply-threshold", "50"],
        r##"
        s> EVAL "while true do pcall(function() while true do end end) end" 0
        sleep 300
        GET x
        MULTI
        EXEC
        FUNCTION KILL
        FUNCTION STATS
        SCRIPT KILL
        s<
        PING
        FUNCTION LOAD "#!lua name=b\nredis.register_function('spin',function() while true do end end)"
        s> FCALL spin 0
        sleep 300
        PING
        SCRIPT KILL
        FUNCTION KILL
        s<
        s> EVAL "redis.call('set','a','b') local t=redis.call('time') while redis.call('time')[1]-t[1]<4 do end return 'done'" 0
        sleep 300
        SCRIPT KILL
        s<
        GET a
        "##,
    );
}

#[test]
fn a_script_may_do_what_its_user_may() {
    same(
        r##"
        ACL SETUSER u on nopass +eval +get ~a* +publish
        u: AUTH u x
        u: EVAL "return redis.call('set','a','1')" 0
        u: EVAL "return redis.call('get','b')" 0
        u: EVAL "return redis.call('get','a')" 0
        u: EVAL "return redis.call('publish','c','1')" 0
        u: EVAL "return {redis.acl_check_cmd('get','a'),redis.acl_check_cmd('get','b')}" 0
        "##,
    );
}

#[test]
fn libraries_are_dumped_and_restored() {
    same(
        r##"
        FUNCTION LOAD "#!lua name=a\nredis.register_function('f', function() return 1 end)"
        $dump = FUNCTION DUMP
        FUNCTION RESTORE $dump
        FUNCTION RESTORE $dump APPEND
        FUNCTION RESTORE $dump REPLACE
        FUNCTION FLUSH
        FUNCTION RESTORE $dump
        FCALL f 0
        FUNCTION RESTORE $dump FLUSH
        FUNCTION RESTORE $dump x
        FUNCTION RESTORE $dump FLUSH x
        FUNCTION RESTORE bad
        FUNCTION RESTORE bad FLUSH
        FUNCTION LIST
        "##,
    );
}

#[test]
fn the_bytes_of_an_error_arrive_as_they_are_up_to_a_nul() {
    same(
        r#"
        EVAL "return redis.error_reply(ARGV[1])" 0 "\xee\x81 \xff"
        EVAL "return redis.error_reply(ARGV[1])" 0 "one\x00 two"
        EVAL "return redis.error_reply(ARGV[1])" 0 "\x00"
        EVAL "return redis.error_reply(ARGV[1])" 0 "word\r\n\n"
        EVAL "return redis.error_reply(ARGV[1])" 0 "\r\n"
        EVAL "return redis.error_reply(ARGV[1])" 0 "-two words\r"
        EVAL "return {err=ARGV[1]}" 0 "MY \xff\r\nline"
        EVAL "return redis.pcall('nothing', ARGV[1])" 0 "\xff"
        EVAL "error({err=ARGV[1]})" 0 "MY \xff\r\nline"
        EVAL "error(ARGV[1])" 0 "MY \xff"
        "#,
    );
}

#[test]
fn who_was_read_together_with_a_script_that_takes_long_is_told_so() {
    let server = tests::Server::start(&["--busy-reply-threshold", "10"]);
    let send = |client: &mut tests::Connection, line: &str| {
        client.send(&tests::split_words(line)).unwrap();
    };
    let [mut sleeper, mut script, mut other] = [(); 3].map(|()| server.connect());
    // Both requests are there when the node looks.
    send(&mut sleeper, "DEBUG SLEEP 0.3");
    send(&mut script, "EVAL \"while true do end\" 0");
    send(&mut other, "PING");
    assert!(other.read().unwrap().text().starts_with("BUSY"));
    assert_eq!(other.run("SCRIPT KILL").text(), "OK");
    assert!(script.read().unwrap().is_error());
    assert_eq!(sleeper.read().unwrap().text(), "OK");
}

#[test]
fn scripts_read_attributes_and_take_thousands_of_arguments() {
    same(
        r#"
        DEBUG SET-DISABLE-DENY-SCRIPTS 1
        EVAL "redis.setresp(3) return redis.call('debug', 'protocol', 'attrib')" 0
        EVAL "local a = {} for i = 1, 7999 do a[i] = 1 end return redis.call('lpush', 'l', unpack(a))" 0
        "#,
    );
}
