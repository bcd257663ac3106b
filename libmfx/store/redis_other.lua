-- SPDX-License-Identifier: BSD-2-Clause
--
-- What is not a use of counters: overrides, lists, leases, small values. Keys,
-- fields and times: see redis_uses.lua; P v:NAME is a value.
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

----- overrides -----

local function set_override()
    local key, text, lifetime = KEYS[1], ARGV[2], tonumber(ARGV[3])
    local kept_until = tonumber(redis.call('HGET', key, 'x') or 0)
    if text == '' then
        redis.call('HDEL', key, 'o', 'u')
    else
        local ends = lifetime > 0 and now + lifetime or 0
        redis.call('HSET', key, 'o', text, 'u', ends)
        if ends == 0 then
            redis.call('PERSIST', key)
            return {now}
        end
        kept_until = math.max(kept_until, ends)
        redis.call('HSET', key, 'x', kept_until)
    end
    redis.call('PEXPIREAT', key, math.max(kept_until, now + 1))
    return {now}
end

----- lists -----

local function used_in(shape, span, r, kind, seen_key)
    local part = math.floor(now * STEPS / span)
    if shape == 'b' then
        local limit = r[7] or 0
        if not r[4] or limit < 0 then
            return 0
        end
        local drained = math.max(now - r[6], 0) * limit / span
        return math.max(math.ceil(r[4] + r[5] / span - drained), 0)
    elseif kind == 'd' then
        local since = math.ceil((part - STEPS) * span / STEPS)
        if shape == 'f' then
            since = r[4] and now < r[5] and r[4] or now
        end
        return redis.call('ZCOUNT', seen_key, string.format('%.0f', since),
                          '+inf')
    elseif shape == 'f' then
        return r[4] and r[4] <= now and now < r[5] and r[6] or 0
    end
    local used = 0
    for i = 4, #r, 2 do
        if r[i] >= part - STEPS and r[i] <= part + STEPS then
            used = used + r[i + 1]
        end
    end
    return used
end

-- Adds what is held to the row: an amount, and elements each once.
local function add_held(row, held)
    if held[1] <= now then
        return
    elseif type(held[2]) == 'number' then
        row.reserved = row.reserved + held[2]
        return
    end
    for i = 1, #held[2], 8 do
        local e = string.sub(held[2], i, i + 7)
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
    local field = {}
    for i = 1, #all, 2 do
        field[all[i]] = all[i + 1]
    end
    local ends = tonumber(field.u or 0)
    local is_over = ends > 0 and ends <= now
    local out = {0, is_over and '' or field.o or '', is_over and 0 or ends}
    for name, value in pairs(field) do
        local letter = string.sub(name, 1, 1)
        if letter == 'h' then
            add_held(row, cmsgpack.unpack(value))
        elseif letter == 'w' then
            local shape, span = string.sub(name, 2, 2), string.sub(name, 3)
            local r = cmsgpack.unpack(value)
            out[#out + 1] = shape
            out[#out + 1] = span
            out[#out + 1] = used_in(shape, tonumber(span), r, field.t, seen_key)
            out[#out + 1] = r[1]
        end
    end
    out[1] = row.reserved
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
        local held = raw and cmsgpack.unpack(raw) or {ends, amount}
        if raw or amount >= 0 then
            held[1] = ends
            redis.call('HSET', key, 'h' .. holder, cmsgpack.pack(held))
            if not raw then
                redis.call('HINCRBY', key, 'R', amount)
            end
            local bound = tonumber(redis.call('HGET', key, 'L') or 0)
            if bound == 0 or bound > ends then
                redis.call('HSET', key, 'L', ends)
            end
        end
        if tonumber(redis.call('HGET', key, 'x') or ends) < ends + 1000 then
            redis.call('HSET', key, 'x', ends + 60000)
            redis.call('PEXPIREAT', key, ends + 60000)
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
