-- SPDX-License-Identifier: BSD-2-Clause
--
-- Elements: DISTINCT and FIRST. See redis_head.lua.

local function elements_of(bytes)
    local list = {}
    for i = 1, #bytes, 8 do
        list[#list + 1] = string.sub(bytes, i, i + 7)
    end
    return list
end

local function format(number)
    return string.format('%.0f', number)
end

-- What was last seen before that, the window does not count (any more).
local function counts_since(c, w)
    if c.kind == 'f' then
        return when - c.memory + 1
    elseif w.shape == 's' then
        return ceil((part_of(w, now) - STEPS) * w.span / STEPS)
    elseif w.shape == 'f' then
        return w.first
    end
    return now - w.span + 1
end

elements = {}

-- A holder holds them no more.
function elements.let_go(c, bytes)
    for _, e in ipairs(elements_of(bytes)) do
        if call('HINCRBY', c.key, 'n' .. e, -1) <= 0 then
            call('HDEL', c.key, 'n' .. e)
            call('ZREM', c.reserved_key, e)
        end
    end
end

-- The asked ones, those the holder has (own) and those it does not have yet
-- (fresh); when each was last seen, and how many others hold it.
function elements.load(c, bytes)
    local is_held = {}
    c.own = c.held and elements_of(c.held[2]) or {}
    c.fresh, c.asked, c.seen, c.others = {}, {}, {}, {}
    for _, e in ipairs(c.own) do
        is_held[e] = true
    end
    for _, e in ipairs(elements_of(bytes)) do
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
        c.seen[e] = tonumber(call('ZSCORE', c.seen_key, e) or nil)
        local holders = tonumber(call('HGET', c.key, 'n' .. e) or 0)
        c.others[e] = holders - (is_held[e] and 1 or 0)
    end
end

-- Those that somebody holds and the window does not count.
function elements.reserved(c, w)
    return call('ZCOUNT', c.reserved_key, '-inf', '(' .. format(w.since))
end

-- How many others hold that the window does not count, how many the holder adds
-- to those, and when those asked were seen that it counts already.
function elements.measure(c, w)
    w.since = counts_since(c, w)
    local reserved = elements.reserved(c, w)
    local wanted, adds, present = 0, 0, {}
    for _, e in ipairs(c.own) do
        if (c.seen[e] or 0) < w.since and c.others[e] == 0 then
            reserved = reserved - 1
        end
    end
    for _, e in ipairs(c.asked) do
        if (c.seen[e] or 0) >= w.since then
            present[#present + 1] = c.seen[e]
        else
            adds = adds + 1
            if c.others[e] == 0 then
                wanted = wanted + 1
            end
        end
    end
    w.reserved, w.wanted, w.adds, w.present = reserved, wanted, adds, present
end

function elements.used(c, w)
    return call('ZCOUNT', c.seen_key, format(w.since), '+inf')
end

-- When enough have left; those that are asked for again stay.
function elements.free_at(c, w, surplus)
    local gone = call('ZCARD', c.seen_key) - elements.used(c, w)
    local leaving = surplus
    while true do
        local found = call('ZRANGE', c.seen_key, gone + leaving - 1,
                           gone + leaving - 1, 'WITHSCORES')
        if not found[2] then
            return 0
        end
        local score, staying = tonumber(found[2]), 0
        for _, seen in ipairs(w.present or {}) do
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

-- Holds the fresh ones; all of the holder's.
function elements.hold(c)
    for _, e in ipairs(c.fresh) do
        call('HINCRBY', c.key, 'n' .. e, 1)
        call('ZADD', c.reserved_key, c.seen[e] or 0, e)
    end
    return (c.held and c.held[2] or '') .. table.concat(c.fresh)
end

-- They are counted: kept as long as any window, or memory, asks for.
function elements.remember(c)
    for _, w in ipairs(c.windows) do
        local length = w.shape == 'f' and w.last - w.first or w.span
        if c.kind == 'd' then
            c.keep = max(c.keep, ceil(length * 62 / 60))
        end
    end
    c.keep = max(c.keep, c.memory)
    c.is_changed = true
    c.expires = max(c.expires, now + c.keep)
    for _, e in ipairs(c.asked) do
        if (c.seen[e] or 0) < when then
            call('ZADD', c.seen_key, when, e)
            if c.others[e] > 0 then
                call('ZADD', c.reserved_key, when, e)
            end
        end
    end
    call('ZREMRANGEBYSCORE', c.seen_key, '-inf', '(' .. format(now - c.keep))
end

-- Nothing was ever seen.
function elements.forget(c)
    c.seen = {}
    call('DEL', c.seen_key)
    for _, e in ipairs(call('ZRANGE', c.reserved_key, 0, -1)) do
        call('ZADD', c.reserved_key, 0, e)
    end
end

