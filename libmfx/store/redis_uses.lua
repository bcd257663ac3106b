-- SPDX-License-Identifier: BSD-2-Clause
--
-- The call itself, the last part of its script. See redis_head.lua.

----- what is reserved -----

-- Takes away what has no lease any more: one walk for many calls, since the
-- bound is never too late.
local function sweep(c)
    local all = call('HGETALL', c.key)
    c.reserved, c.lease_bound = 0, 0
    for i = 1, #all, 2 do
        local field = all[i]
        if string.sub(field, 1, 1) == 'h' then
            local ends, what = unpack_all(all[i + 1])
            local has_elements = type(what) == 'string'
            if ends <= now then
                call('HDEL', c.key, field)
                if has_elements and elements then
                    elements.let_go(c, what)
                end
                if field == 'h' .. holder then
                    c.held = false
                end
            else
                if not has_elements then
                    c.reserved = min(c.reserved + what, MOST)
                end
                if c.lease_bound == 0 or ends < c.lease_bound then
                    c.lease_bound = ends
                end
            end
        end
    end
    c.is_changed = true
end

local function give_back(c)
    if not c.held then
        return
    end
    call('HDEL', c.key, 'h' .. holder)
    if type(c.held[2]) == 'number' then
        c.reserved = max(c.reserved - c.held[2], 0)
        c.is_changed = true
    elseif elements then
        elements.let_go(c, c.held[2])
    end
    c.held = false
end

local function hold(c)
    local what, ends = c.amount, now + lease
    if c.has_elements then
        what = elements.hold(c)
    else
        local own = c.held and c.held[2] or 0
        c.reserved = min(c.reserved - own + what, MOST)
    end
    c.hold = pack(ends, what)
    if c.lease_bound == 0 or ends < c.lease_bound then
        c.lease_bound = ends
    end
    c.expires = max(c.expires, ends)
    c.is_changed = true
end

----- a counter -----

local function find_record(c, name)
    for _, r in ipairs(c.records) do
        if r[1] == name then
            return r
        end
    end
    local r = {name, 0, 0, 0, false, false, false, false, false}
    c.records[#c.records + 1] = r
    return r
end

local function take_records(bytes)
    local all, records = {unpack_all(bytes)}, {}
    for i = 1, #all, 9 do
        records[#records + 1] = {unpack(all, i, i + 8)}
    end
    return records
end

-- The use's values from at on.
local function take_window(c, use, at)
    local name = use[at]
    return {name = name, span = use[at + 1], limit = use[at + 2],
            soft = use[at + 3], first = use[at + 4], last = use[at + 5],
            shape = string.sub(name, 1, 1), record = find_record(c, name),
            since = 0, used = 0, reserved = 0, wanted = 0, adds = 0,
            present = false, fits = false}
end

local function load(i, use)
    local key = KEYS[i]
    local v = call('HMGET', key, 'm', 'w', 'h' .. holder)
    local m = v[1] and {unpack_all(v[1])} or {use[1], 0, 0, 0, 0, '', 0}
    local has_elements = use[1] == 'd' or use[1] == 'f'
    local name = has_elements and string.sub(key, #prefix + 3) or ''
    local c = {key = key, kind = use[1], amount = use[2], belief = use[3],
               memory = use[4], windows = {}, has_elements = has_elements,
               was = m[1], reserved = m[2], lease_bound = m[3],
               kept_until = m[4], keep = m[5], override = m[6],
               override_ends = m[7], held = v[3] and {unpack_all(v[3])} or false,
               -- another kind has counted nothing
               records = v[2] and m[1] == use[1] and take_records(v[2]) or {},
               expires = 0, is_changed = false, has_windows = false,
               hold = false, seen_key = prefix .. 'e:' .. name,
               reserved_key = prefix .. 'q:' .. name}
    if c.override_ends > 0 and c.override_ends <= now then
        c.override, c.override_ends = '', 0
    end
    for at = 6, #use, 6 do
        c.windows[#c.windows + 1] = take_window(c, use, at)
    end
    if c.held and (type(c.held[2]) == 'string') ~= has_elements then
        give_back(c)
    end
    if c.lease_bound > 0 and c.lease_bound <= now then
        sweep(c)
    end
    if has_elements then
        elements.load(c, use[5])
    end
    return c
end

local function measure(c, w)
    if c.has_elements then
        elements.measure(c, w)
    else
        w.reserved = c.held and max(c.reserved - c.held[2], 0) or c.reserved
        w.wanted, w.adds = c.amount, c.amount
    end
    w.used = used_now(c, w)
    -- subtracted, since a sum may be more than a number holds exactly
    w.fits = w.limit < 0 or w.wanted <= w.limit - w.used - w.reserved
end

-- What was asked is counted: the level is of what stands there now.
local function settle(c, w)
    w.used, w.adds, w.wanted, w.present = used_now(c, w), 0, 0, false
    if c.has_elements then
        w.reserved = elements.reserved(c, w)
    end
    w.fits = w.limit < 0 or w.reserved <= w.limit - w.used
end

-- What was counted is forgotten; what is reserved stays.
local function forget(c)
    c.records = {}
    c.has_windows = true
    for _, w in ipairs(c.windows) do
        w.record = find_record(c, w.name)
    end
    if c.has_elements then
        elements.forget(c)
    end
end

-- Before a counter is written: another kind begins anew.
local function become(c)
    if c.was ~= c.kind then
        c.was, c.is_changed, c.has_windows = c.kind, true, true
        if c.has_elements then
            elements.forget(c)
        end
    end
end

local function count(c)
    become(c)
    give_back(c)
    for _, w in ipairs(c.windows) do
        if w.adds > 0 then
            count_window(c, w)
        end
    end
    if c.has_elements and #c.asked > 0 then
        elements.remember(c)
    end
    for _, w in ipairs(c.windows) do
        settle(c, w)
        w.is_soft = w.soft > 0 and w.used >= w.soft and mark(c, w, 3)
    end
end

-- Packed; windows that remember nothing go.
local function keep_records(c)
    local kept = {}
    for _, r in ipairs(c.records) do
        local shape, span = string.sub(r[1], 1, 1), tonumber(string.sub(r[1], 2))
        local ends = max(r[2] + 2 * span, r[3] + span, r[4] + span)
        if shape == 'f' then
            ends = r[6] or 0
        elseif shape == 'b' and (r[8] or 0) > 0 then
            ends = max(ends, r[7] + (r[5] + 1) / r[8] * span)
        end
        if ends > now and r[2] + r[3] + r[4] > 0 then
            kept[#kept + 1] = pack(unpack(r))
        end
    end
    return table.concat(kept)
end

-- The expiry is written with room, so that not every use has to write it.
local function save(c)
    local puts = {}
    if c.has_windows then
        puts[1], puts[2] = 'w', keep_records(c)
        for _, w in ipairs(c.windows) do
            c.expires = max(c.expires, window_expires(w))
        end
    end
    if c.hold then
        puts[#puts + 1] = 'h' .. holder
        puts[#puts + 1] = c.hold
    end
    local moves = c.expires > c.kept_until
    if moves then
        c.kept_until = c.expires + floor((c.expires - now) / 20) + 1000
    end
    if moves or c.is_changed then
        puts[#puts + 1] = 'm'
        puts[#puts + 1] = pack(c.was, c.reserved, c.lease_bound, c.kept_until,
                               c.keep, c.override, c.override_ends)
    end
    if puts[1] then
        call('HSET', c.key, unpack(puts))
    end
    if moves and (c.override == '' or c.override_ends > 0) then
        call('PEXPIREAT', c.key, c.kept_until)
    end
    if c.has_elements and puts[1] then
        call('PEXPIREAT', c.seen_key, c.kept_until)
        call('PEXPIREAT', c.reserved_key, c.kept_until)
    end
end

----- a call -----

local uses = {}
for i = 1, #KEYS do
    uses[i] = {unpack_all(ARGV[1 + i])}
    for at = 6, #uses[i], 6 do
        local first, last = uses[i][at + 4], uses[i][at + 5]
        if last > 0 and (when < first or when >= last) then
            return {now, 3}
        end
    end
end

local counters, outcome, is_repeated = {}, 0, 0
local may_refuse = op == 'C' or op == 'R' or op == 'T'
for i = 1, #KEYS do
    local c = load(i, uses[i])
    counters[i] = c
    for _, w in ipairs(c.windows) do
        measure(c, w)
        if may_refuse and not w.fits and outcome == 0 then
            outcome = 1
        end
    end
    if may_refuse and c.belief ~= c.override then
        outcome = 2
    end
end

if op == 'M' and call('EXISTS', done_key) == 1 then
    is_repeated = 1
    -- a write: so WAIT behind it waits for what was written before, too
    call('PEXPIRE', done_key, DONE_MS)
    for _, c in ipairs(counters) do
        for _, w in ipairs(c.windows) do
            settle(c, w)
        end
    end
elseif outcome == 0 then
    if op == 'M' then
        call('SET', done_key, '', 'PX', DONE_MS)
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
            forget(c)
            for _, w in ipairs(c.windows) do
                measure(c, w)
            end
        end
    end
elseif outcome == 1 and op ~= 'C' then
    for _, c in ipairs(counters) do
        for _, w in ipairs(c.windows) do
            if not w.fits and c.kind ~= 'o' then
                become(c)
                w.is_full = mark(c, w, 4)
            end
        end
    end
end

local answer = {now, outcome, is_repeated}
local n = 3
for _, c in ipairs(counters) do
    save(c)
    answer[n + 1], answer[n + 2] = c.override, c.override_ends
    n = n + 2
    for _, w in ipairs(c.windows) do
        answer[n + 1], answer[n + 2], answer[n + 3] = w.used, w.reserved,
            free_at(c, w)
        answer[n + 4] = (w.fits and 1 or 0) + (w.is_soft and 2 or 0)
            + (w.is_full and 4 or 0)
        n = n + 4
    end
end
return answer
