-- SPDX-License-Identifier: BSD-2-Clause
--
-- CHECK, RESERVE, TAKE, COMMIT (and what is merged), RELEASE, RESET: one run of
-- this script is one call of store.h, all of it or nothing.
--
-- What is known of a counter NAME (P: the prefix of all keys):
--
--   P c:NAME  a hash
--     wSHAPESPAN  a window, see "windows" below
--     hHOLDER     {until, amount}, or {until, elements}: what is reserved
--     nELEMENT    how many holders hold it
--     t           the kind that counts here
--     R, L        the amounts reserved, all together; no lease ends before L
--     o, u        the override, and until when (0: no end)
--     k           how long elements are kept
--     x           when the key expires
--   P e:NAME  elements that were counted, with the time they were last seen
--   P q:NAME  elements that are reserved, each with the time it was last seen
--             (0: never): how many of them a window does not count yet is then
--             one ZCOUNT
--   P d:HOLDER  has committed
--
-- Times are milliseconds since 1970 by this server's clock, and all numbers are
-- whole and at most 2^53, where they are exact. An element is 8 octets.
--
-- KEYS: the counters' hashes, one for each use.
-- ARGV: P, op (C R T M F X, as above: M COMMIT, F RELEASE, X RESET), holder,
--   lease, age (M: how long ago it was), then for each use:
--   kind (a d f o), amount, believed override, memory, elements, windows,
--   and for each window: shape (s f b), span, limit (-1: none), soft;
--   f: the begin and end of the period
-- Answer: now, outcome (0 done, 1 full, 2 overridden, 3 another period), 1 when
--   it had been done before, then for each use: override, its end; and for each
--   window: used, reserved, when it is free again (0: now or never), and
--   1: fits, 2: soft is due, 4: full is due

local MOST = 9007199254740992
local STEPS = 60
local DONE_MS = 600000

local taken = 0
local function take()
    taken = taken + 1
    return ARGV[taken]
end
local function take_number()
    return tonumber(take())
end

local prefix, op, holder = take(), take(), take()
local lease, age = take_number(), take_number()
local clock = redis.call('TIME')
local now = clock[1] * 1000 + math.floor(clock[2] / 1000)
local when = now - age

local function sum(a, b)
    return math.min(a + b, MOST)
end

-- floor(a * b / m) and what is left, exactly, for b < m < 2^40: a times b may
-- have more digits than a number holds.
local function multiply_divide(a, b, m)
    local whole, left, unit = 0, 0, 2 ^ 39
    while unit >= 1 do
        local digit = math.floor(a / unit) % 8192
        local rest = left * 8192 + digit * b
        left = rest % m
        whole = whole * 8192 + (rest - left) / m
        unit = unit / 8192
    end
    return whole, left
end

----- windows -----
-- A record is {last use, when soft was told, when full was told, ...}:
--   s: part, amount, part, amount ... (ascending)
--   f: begin, end, amount
--   b: level, fraction (of the span), at, limit
-- What DISTINCT windows of s and f hold is counted in e:NAME instead.

local function part_of(w, ms)
    return math.floor(ms * STEPS / w.span)
end

-- The first millisecond at which nothing of the part is within a span.
local function part_leaves(w, part)
    return math.ceil((part + STEPS + 1) * w.span / STEPS)
end

local function is_remembered(part, current)
    return part >= current - STEPS and part <= current + STEPS
end

local function sliding_used(w)
    local used, current, r = 0, part_of(w, now), w.record
    for i = 4, #r, 2 do
        if is_remembered(r[i], current) then
            used = used + r[i + 1]
        end
    end
    return math.min(used, MOST)
end

local function sliding_add(w, amount)
    local current, part, r = part_of(w, now), part_of(w, when), w.record
    if not is_remembered(part, current) then
        return
    end
    local kept, is_in = {r[1], r[2], r[3]}, false
    for i = 4, #r, 2 do
        local p, n = r[i], r[i + 1]
        if p >= part and not is_in then
            is_in = true
            if p == part then
                n = sum(n, amount)
            else
                kept[#kept + 1] = part
                kept[#kept + 1] = amount
            end
        end
        if is_remembered(p, current) then
            kept[#kept + 1] = p
            kept[#kept + 1] = n
        end
    end
    if not is_in then
        kept[#kept + 1] = part
        kept[#kept + 1] = amount
    end
    w.record = kept
end

local function sliding_free(w, surplus)
    local current, r = part_of(w, now), w.record
    for i = 4, #r, 2 do
        if is_remembered(r[i], current) then
            surplus = surplus - r[i + 1]
            if surplus <= 0 then
                return part_leaves(w, r[i])
            end
        end
    end
    return 0
end

-- level and fraction of a bucket at a time
local function bucket_left(w, ms)
    local whole, fraction, at = w.record[4], w.record[5], w.record[6]
    if not whole then
        return 0, 0
    end
    local passed = math.max(ms - at, 0)
    if w.limit < 0 then
        return passed > 0 and 0 or whole, 0
    end
    local rest = w.limit % w.span
    local drained, part = multiply_divide(passed, rest, w.span)
    whole = whole - drained - passed * ((w.limit - rest) / w.span)
    fraction = fraction - part
    if fraction < 0 then
        fraction = fraction + w.span
        whole = whole - 1
    end
    if whole < 0 then
        return 0, 0
    end
    return whole, fraction
end

local function bucket_used(w)
    local whole, fraction = bucket_left(w, now)
    return whole + (fraction > 0 and 1 or 0)
end

-- A use before the last one is added whole: too much is the safe side.
local function bucket_add(w, amount)
    local r = w.record
    if not r[4] or when > r[6] then
        r[4], r[5] = bucket_left(w, when)
        r[6] = when
    end
    r[4] = sum(r[4], amount)
    r[7] = w.limit
end

local function bucket_free(w, amount)
    local whole, fraction = bucket_left(w, now)
    if w.limit <= 0 then
        return 0
    end
    local surplus = whole + amount - w.limit
    return now + math.ceil((surplus * w.span + fraction) / w.limit)
end

local function fixed_used(w)
    local r = w.record
    return r[4] == w.first and r[6] or 0
end

local function fixed_add(w, amount)
    local r = w.record
    if w.is_over then
        return
    end
    r[6] = sum(fixed_used(w), amount)
    r[4], r[5] = w.first, w.last
end

-- Until when the window's record matters.
local function window_expires(w)
    local r = w.record
    if w.shape == 'f' then
        return w.last
    end
    if w.shape == 'b' and r[4] and w.limit > 0 then
        return r[6] + math.max(w.span, math.ceil((r[4] + 1) / w.limit * w.span))
    end
    return now + w.span + math.ceil(w.span / STEPS) + 1
end

-- True once a window; slot 2: soft, 3: full.
local function mark(w, slot)
    local told = w.record[slot]
    if w.shape == 'f' then
        if told == w.first then
            return false
        end
        w.record[slot] = w.first
    else
        if told > 0 and now < told + w.span then
            return false
        end
        w.record[slot] = now
    end
    w.is_changed = true
    return true
end

----- what is reserved -----

local function elements_of(bytes)
    local list = {}
    for i = 1, #bytes, 8 do
        list[#list + 1] = string.sub(bytes, i, i + 7)
    end
    return list
end

local function put(c, field, value)
    c.puts[#c.puts + 1] = field
    c.puts[#c.puts + 1] = value
end

-- Elements that a holder holds no more.
local function let_go(c, bytes)
    for _, e in ipairs(elements_of(bytes)) do
        if redis.call('HINCRBY', c.key, 'n' .. e, -1) <= 0 then
            redis.call('HDEL', c.key, 'n' .. e)
            redis.call('ZREM', c.reserved_key, e)
        end
    end
end

-- Takes away what has no lease any more: one walk for many calls, since L is
-- never too late.
local function sweep(c)
    local all = redis.call('HGETALL', c.key)
    c.reserved, c.lease_bound = 0, 0
    for i = 1, #all, 2 do
        local field = all[i]
        if string.sub(field, 1, 1) == 'h' then
            local held = cmsgpack.unpack(all[i + 1])
            if held[1] <= now then
                redis.call('HDEL', c.key, field)
                if type(held[2]) == 'string' then
                    let_go(c, held[2])
                end
                if field == 'h' .. holder then
                    c.held = nil
                end
            else
                if type(held[2]) == 'number' then
                    c.reserved = sum(c.reserved, held[2])
                end
                if c.lease_bound == 0 or held[1] < c.lease_bound then
                    c.lease_bound = held[1]
                end
            end
        end
    end
    put(c, 'R', c.reserved)
    put(c, 'L', c.lease_bound)
end

local function give_back(c)
    if not c.held then
        return
    end
    redis.call('HDEL', c.key, 'h' .. holder)
    if type(c.held[2]) == 'string' then
        let_go(c, c.held[2])
    else
        c.reserved = math.max(c.reserved - c.held[2], 0)
        put(c, 'R', c.reserved)
    end
    c.held = nil
end

-- What was counted is forgotten; what is reserved stays.
local function forget(c)
    for _, field in ipairs(redis.call('HKEYS', c.key)) do
        if string.sub(field, 1, 1) == 'w' then
            redis.call('HDEL', c.key, field)
        end
    end
    redis.call('DEL', c.seen_key)
    for _, e in ipairs(redis.call('ZRANGE', c.reserved_key, 0, -1)) do
        redis.call('ZADD', c.reserved_key, 0, e)
    end
end

-- Before a counter is written: another kind begins anew.
local function become(c)
    if c.is_other then
        forget(c)
        c.is_other = false
    end
    c.is_written = true
end

local function hold(c)
    local what, ends = c.amount, now + lease
    if c.has_elements then
        local added = {}
        for _, e in ipairs(c.fresh) do
            redis.call('HINCRBY', c.key, 'n' .. e, 1)
            redis.call('ZADD', c.reserved_key, c.seen[e] or 0, e)
            added[#added + 1] = e
        end
        what = (c.held and c.held[2] or '') .. table.concat(added)
    else
        c.reserved = sum(c.reserved - (c.held and c.held[2] or 0), what)
        put(c, 'R', c.reserved)
    end
    put(c, 'h' .. holder, cmsgpack.pack({ends, what}))
    if c.lease_bound == 0 or ends < c.lease_bound then
        c.lease_bound = ends
        put(c, 'L', ends)
    end
    c.expires = math.max(c.expires, ends)
end

----- elements -----

-- What was last seen before that, the window does not count (any more).
local function counts_since(c, w)
    if c.kind == 'f' then
        return when - c.memory + 1
    elseif w.shape == 's' then
        return math.ceil((part_of(w, now) - STEPS) * w.span / STEPS)
    elseif w.shape == 'f' then
        return w.first
    end
    return now - w.span + 1
end

local function load_elements(c)
    local is_held = {}
    c.own = c.held and elements_of(c.held[2]) or {}
    c.fresh, c.asked, c.seen, c.others = {}, {}, {}, {}
    for _, e in ipairs(c.own) do
        is_held[e] = true
    end
    for _, e in ipairs(elements_of(c.elements)) do
        c.asked[#c.asked + 1] = e
        if not is_held[e] then
            c.fresh[#c.fresh + 1] = e
        end
    end
    local all = {}
    for _, e in ipairs(c.own) do
        all[#all + 1] = e
    end
    for _, e in ipairs(c.fresh) do
        all[#all + 1] = e
    end
    if op == 'C' or op == 'R' then
        c.asked = all
    end
    for _, e in ipairs(all) do
        c.seen[e] = tonumber(redis.call('ZSCORE', c.seen_key, e) or nil)
        local holders = tonumber(redis.call('HGET', c.key, 'n' .. e) or 0)
        c.others[e] = holders - (is_held[e] and 1 or 0)
    end
end

-- Elements that somebody holds and the window does not count.
local function reserved_elements(c, w)
    return redis.call('ZCOUNT', c.reserved_key, '-inf',
                      '(' .. string.format('%.0f', w.since))
end

-- How many elements others hold that the window does not count, how many the
-- holder adds to those, and how many of the asked it counts already.
local function measure_elements(c, w)
    local since = counts_since(c, w)
    w.since = since
    local reserved = reserved_elements(c, w)
    local wanted, adds, present = 0, 0, {}
    for _, e in ipairs(c.own) do
        if (c.seen[e] or 0) < since and c.others[e] == 0 then
            reserved = reserved - 1
        end
    end
    for _, e in ipairs(c.asked) do
        if (c.seen[e] or 0) >= since then
            present[#present + 1] = c.seen[e]
        else
            adds = adds + 1
            if c.others[e] == 0 then
                wanted = wanted + 1
            end
        end
    end
    w.adds, w.present = adds, present
    return reserved, wanted
end

local function distinct_used(c, w)
    return redis.call('ZCOUNT', c.seen_key, string.format('%.0f', w.since),
                      '+inf')
end

-- When enough elements have left; those that are asked for again stay.
local function distinct_free(c, w, surplus)
    local gone = redis.call('ZCARD', c.seen_key) - distinct_used(c, w)
    local leaving = surplus
    while true do
        local found = redis.call('ZRANGE', c.seen_key, gone + leaving - 1,
                                 gone + leaving - 1, 'WITHSCORES')
        if not found[2] then
            return 0
        end
        local score, staying = tonumber(found[2]), 0
        for _, seen in ipairs(w.present) do
            if seen <= score then
                staying = staying + 1
            end
        end
        if leaving - staying >= surplus then
            return part_leaves(w, part_of(w, score))
        end
        leaving = surplus + staying
    end
end

local function remember_elements(c)
    for _, e in ipairs(c.asked) do
        if (c.seen[e] or 0) < when then
            redis.call('ZADD', c.seen_key, when, e)
            if c.others[e] > 0 then
                redis.call('ZADD', c.reserved_key, when, e)
            end
        end
    end
    redis.call('ZREMRANGEBYSCORE', c.seen_key, '-inf',
               '(' .. string.format('%.0f', now - c.keep))
end

----- a counter -----

local function is_distinct(c, w)
    return c.kind == 'd' and w.shape ~= 'b'
end

local is_wrong_period = false

local function take_window()
    local w = {shape = take(), span = take_number(), limit = take_number(),
               soft = take_number()}
    if w.shape == 'f' then
        w.first, w.last = take_number(), take_number()
        is_wrong_period = is_wrong_period or when < w.first or when >= w.last
        w.is_over = w.last <= now
    end
    w.field = 'w' .. w.shape .. string.format('%.0f', w.span)
    return w
end

local function load(c)
    local fields = {'t', 'R', 'L', 'o', 'u', 'k', 'x', 'h' .. holder}
    for i, w in ipairs(c.windows) do
        fields[8 + i] = w.field
    end
    local v = redis.call('HMGET', c.key, unpack(fields))
    c.is_other = v[1] and v[1] ~= c.kind
    c.reserved, c.lease_bound = tonumber(v[2] or 0), tonumber(v[3] or 0)
    c.override, c.override_ends = v[4] or '', tonumber(v[5] or 0)
    if c.override_ends > 0 and c.override_ends <= now then
        c.override, c.override_ends = '', 0
    end
    c.is_endless = c.override ~= '' and c.override_ends == 0
    c.keep, c.kept_until = tonumber(v[6] or 0), tonumber(v[7] or 0)
    c.held = v[8] and cmsgpack.unpack(v[8]) or nil
    for i, w in ipairs(c.windows) do
        local raw = not c.is_other and v[8 + i]
        w.record = raw and cmsgpack.unpack(raw) or {0, 0, 0}
    end
    if c.held and (type(c.held[2]) == 'string') ~= c.has_elements then
        give_back(c)
    end
    if c.lease_bound > 0 and c.lease_bound <= now then
        sweep(c)
    end
    if c.has_elements then
        load_elements(c)
    end
end

local function take_use(i)
    local c = {key = KEYS[i], kind = take(), amount = take_number(),
               belief = take(), memory = take_number(), windows = {},
               puts = {}, expires = 0}
    local name = string.sub(c.key, #prefix + 3)
    c.elements = take()
    c.seen_key, c.reserved_key = prefix .. 'e:' .. name, prefix .. 'q:' .. name
    c.has_elements = c.kind == 'd' or c.kind == 'f'
    for n = 1, take_number() do
        c.windows[n] = take_window()
    end
    return c
end

local function used_now(c, w)
    if c.kind == 'o' then
        return 0
    elseif is_distinct(c, w) then
        return distinct_used(c, w)
    elseif w.shape == 's' then
        return sliding_used(w)
    elseif w.shape == 'f' then
        return fixed_used(w)
    end
    return bucket_used(w)
end

local function measure(c, w)
    if c.has_elements then
        w.reserved, w.wanted = measure_elements(c, w)
    else
        local own = c.held and c.held[2] or 0
        w.reserved, w.wanted = math.max(c.reserved - own, 0), c.amount
        w.adds, w.present = c.amount, {}
    end
    w.used = used_now(c, w)
    -- subtracted, since a sum may be more than a number holds exactly
    w.fits = w.limit < 0 or w.wanted <= w.limit - w.used - w.reserved
end

-- When as much as was asked would fit, as far as used goes.
local function free_at(c, w)
    local amount = w.adds
    if op == 'C' and amount == 0 and #w.present == 0 then
        amount = 1
    end
    local surplus = amount - (w.limit - w.used)
    if w.limit < 0 or surplus <= 0 or amount + #w.present > w.limit
        or c.kind == 'o' then
        return 0
    elseif w.shape == 'f' then
        return w.last
    elseif w.shape == 'b' then
        return bucket_free(w, amount)
    elseif is_distinct(c, w) then
        return distinct_free(c, w, surplus)
    end
    return sliding_free(w, surplus)
end

local function count_window(c, w)
    w.record[1] = math.max(w.record[1], when)
    w.is_changed = true
    if is_distinct(c, w) then
        if w.shape == 'f' and not w.is_over then
            w.record[4], w.record[5] = w.first, w.last
        end
    elseif w.shape == 's' then
        sliding_add(w, w.adds)
    elseif w.shape == 'f' then
        fixed_add(w, w.adds)
    else
        bucket_add(w, w.adds)
    end
end

-- What was asked is counted: the level is of what stands there now.
local function settle(c, w)
    w.used, w.adds, w.wanted, w.present = used_now(c, w), 0, 0, {}
    if c.has_elements then
        w.reserved = reserved_elements(c, w)
    end
    w.fits = w.limit < 0 or w.reserved <= w.limit - w.used
end

local function count(c)
    become(c)
    give_back(c)
    for _, w in ipairs(c.windows) do
        if w.adds > 0 then
            count_window(c, w)
        end
        local length = w.shape == 'f' and w.last - w.first or w.span
        c.keep = math.max(c.keep, c.kind == 'd' and length * 62 / 60 or 0)
    end
    if c.has_elements then
        c.keep = math.ceil(math.max(c.keep, c.memory))
        put(c, 'k', c.keep)
        c.expires = math.max(c.expires, now + c.keep)
        remember_elements(c)
    end
    for _, w in ipairs(c.windows) do
        settle(c, w)
        w.is_soft = w.soft > 0 and w.used >= w.soft and mark(w, 2)
    end
end

local function reset(c)
    forget(c)
    c.seen = {}
    for _, w in ipairs(c.windows) do
        w.record = {0, 0, 0}
        measure(c, w)
    end
end

-- Written with room, so that not every use has to write it again.
local function set_expiry(c)
    if c.expires > c.kept_until then
        c.kept_until = c.expires + math.floor((c.expires - now) / 20) + 1000
        redis.call('HSET', c.key, 'x', c.kept_until)
        if not c.is_endless then
            redis.call('PEXPIREAT', c.key, c.kept_until)
        end
    end
    if c.has_elements then
        redis.call('PEXPIREAT', c.seen_key, c.kept_until)
        redis.call('PEXPIREAT', c.reserved_key, c.kept_until)
    end
end

local function save(c)
    for _, w in ipairs(c.windows) do
        if w.is_changed then
            put(c, w.field, cmsgpack.pack(w.record))
            c.expires = math.max(c.expires, window_expires(w))
        end
    end
    if #c.puts > 0 then
        if c.is_written then
            put(c, 't', c.kind)
        end
        for i = 1, #c.puts, 1000 do
            redis.call('HSET', c.key,
                       unpack(c.puts, i, math.min(i + 999, #c.puts)))
        end
        set_expiry(c)
    end
end

----- a call -----

local counters, outcome, is_repeated = {}, 0, 0
local may_refuse = op == 'C' or op == 'R' or op == 'T'
local done_key = prefix .. 'd:' .. holder

for i = 1, #KEYS do
    counters[i] = take_use(i)
end
if is_wrong_period then
    return {now, 3}
end
local is_done = op == 'M' and redis.call('EXISTS', done_key) == 1

for _, c in ipairs(counters) do
    load(c)
    if may_refuse and c.belief ~= c.override then
        outcome = 2
    end
end

for _, c in ipairs(counters) do
    for _, w in ipairs(c.windows) do
        measure(c, w)
        if may_refuse and outcome == 0 and not w.fits then
            outcome = 1
        end
    end
end

if is_done then
    is_repeated = 1
    -- a write: so WAIT behind it waits for what was written before, too
    redis.call('PEXPIRE', done_key, DONE_MS)
    for _, c in ipairs(counters) do
        for _, w in ipairs(c.windows) do
            settle(c, w)
        end
    end
elseif outcome == 0 then
    if op == 'M' then
        redis.call('SET', done_key, '', 'PX', DONE_MS)
    end
    for _, c in ipairs(counters) do
        if op == 'R' then
            become(c)
            hold(c)
        elseif op == 'T' or op == 'M' then
            count(c)
        elseif op == 'F' then
            give_back(c)
        elseif op == 'X' then
            reset(c)
        end
    end
elseif outcome == 1 and op ~= 'C' then
    for _, c in ipairs(counters) do
        become(c)
        for _, w in ipairs(c.windows) do
            if not w.fits and c.kind ~= 'o' then
                w.is_full = mark(w, 3)
            end
        end
    end
end

local answer = {now, outcome, is_repeated}
for _, c in ipairs(counters) do
    save(c)
    answer[#answer + 1] = c.override
    answer[#answer + 1] = c.override_ends
    for _, w in ipairs(c.windows) do
        answer[#answer + 1] = w.used
        answer[#answer + 1] = w.reserved
        answer[#answer + 1] = free_at(c, w)
        answer[#answer + 1] = (w.fits and 1 or 0) + (w.is_soft and 2 or 0)
            + (w.is_full and 4 or 0)
    end
end
return answer
