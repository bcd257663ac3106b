-- SPDX-License-Identifier: BSD-2-Clause
--
-- CHECK, RESERVE, TAKE, COMMIT (and what is merged), RELEASE, RESET: one run is
-- one call of store.h, all of it or nothing. The script is made of this file;
-- redis_plain.lua, which answers most calls, or redis_elements.lua, where a use
-- counts elements; redis_windows.lua; and redis_uses.lua. Every run defines its
-- functions and builds its tables anew, and that is most of the time it takes:
-- so there are few of them, and tables have their fields from the beginning.
--
-- What is known of a counter NAME (P: the prefix of all keys):
--
--   P c:NAME  a hash
--     m           kind, reserved amounts, no lease ends before, the key
--                 expires, elements are kept that long, override, its end
--     w           window, window, ...: nine values each, see below
--     hHOLDER     until, and an amount or elements: what is reserved
--     nELEMENT    how many holders hold it
--   P e:NAME  elements that were counted, with the time they were last seen
--   P q:NAME  elements that are reserved, each with the time it was last seen
--             (0: never): how many of them a window does not count yet is then
--             one ZCOUNT
--   P d:HOLDER  has committed
--
-- Times are milliseconds since 1970 by this server's clock, and all numbers are
-- whole and at most 2^53, where they are exact. An element is 8 octets. m, w
-- and h are packed by cmsgpack, value behind value: a list is slower.
--
-- KEYS: the counters' hashes, one for each use. ARGV, packed like that:
--   op (C R T M F X, as above: M COMMIT, F RELEASE, X RESET), holder, lease,
--     age (M: how long ago it was), P, 1: may be plain, see redis_plain.lua
--   for each use: kind (a d f o), amount, believed override, memory, elements,
--     and for each window: name: shape (s f b) and span, span, limit (-1: none),
--     soft, begin and end of the period (f, else 0)
-- Answer: now, outcome (0 done, 1 full, 2 overridden, 3 another period), 1 when
--   it had been done before, then for each use: override, its end; and for each
--   window: used, reserved, when it is free again (0: now or never), and
--   1: fits, 2: soft is due, 4: full is due

local MOST = 9007199254740992
local STEPS = 60
local DONE_MS = 600000

local call, floor, ceil, max, min = redis.call, math.floor, math.ceil, math.max,
    math.min
local pack, unpack_all = cmsgpack.pack, cmsgpack.unpack

local op, holder, lease, age, prefix, may_be_plain = unpack_all(ARGV[1])
local clock = call('TIME')
local now = clock[1] * 1000 + floor(clock[2] / 1000)
local when = now - age
local done_key = prefix .. 'd:' .. holder

----- windows -----
-- A window as it is kept, a record: name, last use, when soft was told, when
-- full was told, and five more (false: nothing):
--   s: all together, the oldest part's number, the newest part's and its
--      amount, the others as bytes: part, amount, part, amount ... (ascending)
--   f: begin, end, amount
--   b: level, fraction (of the span), at, limit
-- DISTINCT windows of s and f are counted in e:NAME; f has its begin and end.
-- A sliding window is opened up once a part, when one is forgotten: else it is
-- a sum, and a part that grows.
