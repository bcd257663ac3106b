-- SPDX-License-Identifier: BSD-2-Clause
--
-- What is not a use of counters: overrides, lists, leases, small values. Keys,
-- fields and times: see redis_head.lua; P v:NAME is a value.
--
-- ARGV: what is asked, then
--   O text lifetime           sets an override (KEYS: c:NAME)
--   L P                       reads counters (KEYS: c:NAME ...)
--   N lease                   renews leases (KEYS: c:NAME ...), for each key:
--     holder, amount          held again with that amount if it was lost
--                             (-1: elements, which are not)
--   G | P bytes lifetime | A bytes lifetime | D
--                             gets, puts, adds, deletes a value (KEYS: v:NAME)
-- Answer: now, then what the functions say.

local clock = redis.call('TIME')
local now = clock[1] * 1000 + math.floor(clock[2] / 1000)
local STEPS = 60

-- What m of a counter says; the kind of one that is new is none.
local function read_meta(key)
    local raw = redis.call('HGET', key, 'm')
    return raw and {cmsgpack.unpack(raw)} or {'', 0, 0, 0, 0, '', 0}
end

----- overrides -----

local function set_override()
    local key, text, lifetime = KEYS[1], ARGV[2], tonumber(ARGV[3])
    local m = read_meta(key)
    m[6], m[7] = text, 0
    if text ~= '' and lifetime > 0 then
        m[7] = now + lifetime
        m[4] = math.max(m[4], m[7])
    end
    redis.call('HSET', key, 'm', cmsgpack.pack(unpack(m)))
    if text ~= '' and lifetime == 0 then
        redis.call('PERSIST', key)
    else
        redis.call('PEXPIREAT', key, math.max(m[4], now + 1))
    end
    return {now}
end

----- lists -----

local function used_in(r, shape, span, kind, seen_key)
    local part = math.floor(now * STEPS / span)
    if shape == 'b' then
        if not r[5] or r[8] < 0 then
            return 0
        end
        local drained = math.max(now - r[7], 0) * r[8] / span
        return math.max(math.ceil(r[5] + r[6] / span - drained), 0)
    elseif shape == 'f' and not (r[5] and r[5] <= now and now < r[6]) then
        return 0
    elseif kind == 'd' then
        local since = shape == 'f' and r[5]
            or math.ceil((part - STEPS) * span / STEPS)
        return redis.call('ZCOUNT', seen_key, string.format('%.0f', since),
                          '+inf')
    elseif shape == 'f' then
        return r[7]
    elseif not r[5] then
        return 0
    end
    local used = 0
    local all = r[9] == '' and {} or {cmsgpack.unpack(r[9])}
    all[#all + 1], all[#all + 2] = r[7], r[8]
    for i = 1, #all, 2 do
        if all[i] >= part - STEPS and all[i] <= part + STEPS then
            used = used + all[i + 1]
        end
    end
    return used
end

-- Adds what is held to the row: an amount, and elements each once.
local function add_held(row, ends, what)
    if ends <= now then
        return
    elseif type(what) == 'number' then
        row.reserved = row.reserved + what
        return
    end
    for i = 1, #what, 8 do
        local e = string.sub(what, i, i + 7)
        if not row.elements[e] then
            row.elements[e] = true
            row.reserved = row.reserved + 1
        end
    end
end

-- {reserved, override, its end, shape, span, used, last, shape, ...}
local function read_counter(key, prefix)
    local all = redis.call('HGETALL', key)
    local seen_key = prefix .. 'e:' .. string.sub(key, #prefix + 3)
    local row = {reserved = 0, elements = {}}
    local m, windows = {'', 0, 0, 0, 0, '', 0}, {}
    for i = 1, #all, 2 do
        if all[i] == 'm' then
            m = {cmsgpack.unpack(all[i + 1])}
        elseif all[i] == 'w' then
            windows = {cmsgpack.unpack(all[i + 1])}
        elseif string.sub(all[i], 1, 1) == 'h' then
            add_held(row, cmsgpack.unpack(all[i + 1]))
        end
    end
    local is_over = m[7] > 0 and m[7] <= now
    local out = {row.reserved, is_over and '' or m[6], is_over and 0 or m[7]}
    for at = 1, #windows, 9 do
        local r = {unpack(windows, at, at + 8)}
        local shape, span = string.sub(r[1], 1, 1), string.sub(r[1], 2)
        out[#out + 1] = shape
        out[#out + 1] = span
        out[#out + 1] = used_in(r, shape, tonumber(span), m[1], seen_key)
        out[#out + 1] = r[2]
    end
    return out
end

local function list()
    local answer = {now}
    for i, key in ipairs(KEYS) do
        answer[i + 1] = read_counter(key, ARGV[2])
    end
    return answer
end

----- leases -----

local function renew()
    local ends = now + tonumber(ARGV[2])
    for i, key in ipairs(KEYS) do
        local holder, amount = ARGV[2 * i + 1], tonumber(ARGV[2 * i + 2])
        local raw = redis.call('HGET', key, 'h' .. holder)
        local held = raw and {cmsgpack.unpack(raw)} or {ends, amount}
        if raw or amount >= 0 then
            local m = read_meta(key)
            m[2] = m[2] + (raw and 0 or amount)
            m[3] = m[3] == 0 and ends or math.min(m[3], ends)
            held[1] = ends
            local moves = m[4] < ends
            m[4] = moves and ends + 60000 or m[4]
            redis.call('HSET', key, 'm', cmsgpack.pack(unpack(m)), 'h' .. holder,
                       cmsgpack.pack(unpack(held)))
            if moves and (m[6] == '' or m[7] > 0) then
                redis.call('PEXPIREAT', key, m[4])
            end
        end
    end
    return {now}
end

----- values -----

-- {now, is it there, bytes, its end, is it new}
local function say_value(key, is_new)
    local bytes, ttl = redis.call('GET', key), redis.call('PTTL', key)
    return {now, bytes and 1 or 0, bytes or '', ttl >= 0 and now + ttl or 0,
            is_new}
end

local function put_value(key, only_new)
    local lifetime = tonumber(ARGV[3])
    if only_new and redis.call('EXISTS', key) == 1 then
        return say_value(key, 0)
    elseif lifetime > 0 then
        redis.call('SET', key, ARGV[2], 'PX', lifetime)
    else
        redis.call('SET', key, ARGV[2])
    end
    return say_value(key, 1)
end

local what, key = ARGV[1], KEYS[1]
if what == 'O' then
    return set_override()
elseif what == 'L' then
    return list()
elseif what == 'N' then
    return renew()
elseif what == 'G' then
    return say_value(key, 0)
elseif what == 'P' or what == 'A' then
    return put_value(key, what == 'A')
end
return {now, redis.call('DEL', key), '', 0, 0}
