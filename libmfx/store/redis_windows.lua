-- SPDX-License-Identifier: BSD-2-Clause
--
-- What windows count. See redis_head.lua.

local function part_of(w, ms)
    return floor(ms * STEPS / w.span)
end

-- The first millisecond at which nothing of the part is within a span.
local function part_leaves(w, part)
    return ceil((part + STEPS + 1) * w.span / STEPS)
end

-- What is seldom needed is defined when it is.
local parts, bucket

local function define_parts()
    parts = {}

    -- What is remembered: {part, amount, part, amount, ...}
    function parts.open(w)
        local r, current, kept = w.record, part_of(w, now), {}
        if not r[5] then
            return kept
        end
        local all = r[9] == '' and {} or {unpack_all(r[9])}
        all[#all + 1] = r[7]
        all[#all + 1] = r[8]
        for i = 1, #all, 2 do
            if all[i] >= current - STEPS and all[i] <= current + STEPS then
                kept[#kept + 1] = all[i]
                kept[#kept + 1] = all[i + 1]
            end
        end
        return kept
    end

    function parts.close(w, list)
        local r, total, older = w.record, 0, {}
        for i = 1, #list, 2 do
            total = total + list[i + 1]
            if i < #list - 1 then
                older[i] = pack(list[i])
                older[i + 1] = pack(list[i + 1])
            end
        end
        if #list == 0 then
            r[5], r[6], r[7], r[8], r[9] = false, false, false, false, false
        else
            r[5], r[6] = min(total, MOST), list[1]
            r[7], r[8] = list[#list - 1], list[#list]
            r[9] = table.concat(older)
        end
    end

    -- A use of an earlier time.
    function parts.insert(w, part, amount)
        local list, at = parts.open(w), 1
        while list[at] < part do
            at = at + 2
        end
        if list[at] == part then
            list[at + 1] = min(list[at + 1] + amount, MOST)
        else
            table.insert(list, at, amount)
            table.insert(list, at, part)
        end
        parts.close(w, list)
    end

    function parts.free_at(w, surplus)
        local list = parts.open(w)
        for i = 1, #list, 2 do
            surplus = surplus - list[i + 1]
            if surplus <= 0 then
                return part_leaves(w, list[i])
            end
        end
        return 0
    end
end

local function sliding_used(w)
    local r, current = w.record, part_of(w, now)
    if not r[5] then
        return 0
    elseif r[6] < current - STEPS or r[7] > current + STEPS then
        if not parts then
            define_parts()
        end
        parts.close(w, parts.open(w))
    end
    return r[5] or 0
end

local function sliding_add(w, amount)
    local r, part, current = w.record, part_of(w, when), part_of(w, now)
    if part < current - STEPS or part > current + STEPS then
        return
    end
    sliding_used(w)
    if r[7] == part then
        r[5], r[8] = min(r[5] + amount, MOST), min(r[8] + amount, MOST)
    elseif not r[5] then
        r[5], r[6], r[7], r[8], r[9] = amount, part, part, amount, ''
    elseif r[7] < part then
        r[9] = r[9] .. pack(r[7], r[8])
        r[5], r[7], r[8] = min(r[5] + amount, MOST), part, amount
    else
        if not parts then
            define_parts()
        end
        parts.insert(w, part, amount)
    end
end

local function define_bucket()
    bucket = {}

    -- floor(a * b / m) and what is left, exactly, for b < m < 2^40: a times b
    -- may have more digits than a number holds.
    local function multiply_divide(a, b, m)
        local whole, left, unit = 0, 0, 2 ^ 39
        while unit >= 1 do
            local rest = left * 8192 + floor(a / unit) % 8192 * b
            left = rest % m
            whole = whole * 8192 + (rest - left) / m
            unit = unit / 8192
        end
        return whole, left
    end

    -- Level and fraction at a time.
    function bucket.left(w, ms)
        local whole, fraction, at = w.record[5], w.record[6], w.record[7]
        if not whole then
            return 0, 0
        end
        local passed = max(ms - at, 0)
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

    function bucket.used(w)
        local whole, fraction = bucket.left(w, now)
        return whole + (fraction > 0 and 1 or 0)
    end

    -- A use before the last one is added whole: too much is the safe side.
    function bucket.add(w, amount)
        local r = w.record
        if not r[5] or when > r[7] then
            r[5], r[6] = bucket.left(w, when)
            r[7] = when
        end
        r[5], r[8] = min(r[5] + amount, MOST), w.limit
    end

    function bucket.free_at(w, amount)
        local whole, fraction = bucket.left(w, now)
        local surplus = whole + amount - w.limit
        return now + ceil((surplus * w.span + fraction) / w.limit)
    end
end

-- Elements are counted by redis_elements.lua where it is a part of the script.
local elements

local function is_distinct(c, w)
    return c.kind == 'd' and w.shape ~= 'b'
end

local function used_now(c, w)
    if c.kind == 'o' then
        return 0
    elseif is_distinct(c, w) then
        return elements.used(c, w)
    elseif w.shape == 's' then
        return sliding_used(w)
    elseif w.shape == 'f' then
        return w.record[5] == w.first and w.record[7] or 0
    end
    if not bucket then
        define_bucket()
    end
    return bucket.used(w)
end

-- Counts what the use adds, after it was measured.
local function count_window(c, w)
    local r, amount = w.record, w.adds
    r[2] = max(r[2], when)
    c.has_windows = true
    if is_distinct(c, w) then
        if w.shape == 'f' and w.last > now then
            r[5], r[6] = w.first, w.last
        end
    elseif w.shape == 's' then
        sliding_add(w, amount)
    elseif w.shape == 'f' and w.last > now then
        r[7] = min((r[5] == w.first and r[7] or 0) + amount, MOST)
        r[5], r[6] = w.first, w.last
    elseif w.shape == 'b' then
        bucket.add(w, amount)
    end
end

-- Until when the window's record matters.
local function window_expires(w)
    local r = w.record
    if w.shape == 'f' then
        return w.last
    elseif w.shape == 'b' and r[5] and w.limit > 0 then
        return r[7] + max(w.span, ceil((r[5] + 1) / w.limit * w.span))
    end
    return now + w.span + ceil(w.span / STEPS) + 1
end

-- True once a window; slot 3: soft, 4: full.
local function mark(c, w, slot)
    local told = w.record[slot]
    local mine = w.shape == 'f' and w.first or now
    if told == mine or (w.shape ~= 'f' and told > 0 and now < told + w.span) then
        return false
    end
    local r = w.record
    if w.shape == 'f' and r[5] ~= w.first then
        r[5], r[6], r[7] = w.first, w.last, 0
    end
    r[slot] = mine
    c.has_windows = true
    return true
end

-- When as much as was asked would fit, as far as used goes.
local function free_at(c, w)
    local amount, present = w.adds, w.present and #w.present or 0
    if op == 'C' and amount == 0 and present == 0 then
        amount = 1
    end
    local surplus = amount - (w.limit - w.used)
    if w.limit < 0 or surplus <= 0 then
        return 0
    end
    if amount + present > w.limit or c.kind == 'o' then
        return 0
    elseif w.shape == 'f' then
        return w.last
    elseif w.shape == 'b' then
        return bucket.free_at(w, amount)
    elseif is_distinct(c, w) then
        return elements.free_at(c, w, surplus)
    elseif not parts then
        define_parts()
    end
    return parts.free_at(w, surplus)
end

