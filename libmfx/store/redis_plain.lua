-- SPDX-License-Identifier: BSD-2-Clause
--
-- Most calls: uses of amounts, in sliding windows, that fit, of counters that
-- were used before and lack nothing. They are answered here, without a function
-- or a table more than it takes. What is found to be more than that, before
-- anything is written, is left to redis_uses.lua. See redis_head.lua.

local uses, metas, records, own = {}, {}, {}, {}
local holder_field = 'h' .. holder
local counts = op == 'T' or op == 'M'
local is_plain = may_be_plain == 1

----- is it plain? -----

for i = 1, is_plain and #KEYS or 0 do
    local v = call('HMGET', KEYS[i], 'm', 'w', holder_field)
    if not v[1] or not v[2] then
        is_plain = false
        break
    end
    local use, m, r = {unpack_all(ARGV[1 + i])}, {unpack_all(v[1])},
        {unpack_all(v[2])}
    local ends, held = 0, 0
    if v[3] then
        ends, held = unpack_all(v[3])
    end
    local amount = use[2]
    local least = (op == 'C' or counts) and max(amount, 1) or amount
    is_plain = m[1] == 'a' and type(held) == 'number' and m[6] == use[3]
        and m[7] == 0 and (m[3] == 0 or m[3] > now)
        and #r == (#use - 5) / 6 * 9 and (amount > 0 or not counts)
    if not is_plain then
        break
    end
    local others, at = max(m[2] - held, 0), 1
    for n = 6, #use, 6 do
        local span, limit, sum = use[n + 1], use[n + 2], r[at + 4]
        local part = floor(now * STEPS / span)
        if r[at] ~= use[n] or not sum or r[at + 5] < part - STEPS
            or r[at + 6] > part
            or (limit >= 0 and (amount > limit - sum - others
                                or least > limit - sum)) then
            is_plain = false
            break
        end
        at = at + 9
    end
    if not is_plain then
        break
    end
    uses[i], metas[i], records[i], own[i] = use, m, r, v[3] and held
end

----- then it is done -----

-- Another commit of the same holder has left its mark.
if is_plain and op == 'M' and
    not call('SET', done_key, '', 'NX', 'PX', DONE_MS) then
    is_plain = false
end

if is_plain then
    local answer, n = {now, 0, 0}, 3
    for i = 1, #KEYS do
        local key, use, m, r, held = KEYS[i], uses[i], metas[i], records[i],
            own[i]
        local amount, expires, changes = use[2], 0, false
        local others, windows, hold = max(m[2] - (held or 0), 0), false, false
        if op == 'R' then
            expires = now + lease
            m[2] = min(m[2] - (held or 0) + amount, MOST)
            if m[3] == 0 or expires < m[3] then
                m[3] = expires
            end
            hold, changes = pack(expires, amount), true
        elseif held and op ~= 'C' then
            call('HDEL', key, holder_field)
            m[2], changes = others, true
        end
        answer[n + 1], answer[n + 2] = m[6], 0
        n = n + 2
        local at = 1
        for a = 6, #use, 6 do
            local state = 1
            if counts then
                local span, soft = use[a + 1], use[a + 3]
                local part = floor(now * STEPS / span)
                r[at + 1] = max(r[at + 1], now)
                r[at + 4] = min(r[at + 4] + amount, MOST)
                if r[at + 6] == part then
                    r[at + 7] = min(r[at + 7] + amount, MOST)
                else
                    r[at + 8] = r[at + 8] .. pack(r[at + 6], r[at + 7])
                    r[at + 6], r[at + 7] = part, amount
                end
                if soft > 0 and r[at + 4] >= soft
                    and not (r[at + 2] > 0 and now < r[at + 2] + span) then
                    r[at + 2], state = now, 3
                end
                expires = max(expires, now + span + ceil(span / STEPS) + 1)
            end
            answer[n + 1], answer[n + 2], answer[n + 3], answer[n + 4] =
                r[at + 4], others, 0, state
            n, at = n + 4, at + 9
        end
        if counts then
            windows = pack(unpack(r))
        end
        local moves = expires > m[4]
        if moves then
            m[4] = expires + floor((expires - now) / 20) + 1000
        end
        local meta = (moves or changes) and pack(unpack(m))
        if hold then
            call('HSET', key, 'm', meta, holder_field, hold)
        elseif windows and meta then
            call('HSET', key, 'm', meta, 'w', windows)
        elseif windows then
            call('HSET', key, 'w', windows)
        elseif meta then
            call('HSET', key, 'm', meta)
        end
        if moves and m[6] == '' then
            call('PEXPIREAT', key, m[4])
        end
    end
    return answer
end

