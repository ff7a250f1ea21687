-- Finds the jobs of a queue that are in a state, in the order of their listing, after a place. It changes nothing.
--
-- ARGV: the queue's keys' beginning, that of ours for it, the state, the most jobs; then of the place its key, its
-- number, its id, how many jobs were before it, and whether other jobs with its number are `after` it by their ids,
-- `all` after it, or `none`. Without a place there are four arguments. Tells rows of id, number and key, how many jobs
-- are before the first row of the list, and the key of the last lane looked at if there may be more lanes.

local call = redis.call
local P, OWN, STATE, MOST = ARGV[1], ARGV[2], ARGV[3], tonumber(ARGV[4])
-- The scores of jobs without a priority are below this one.
local HALF = '2147483648'
-- How far from where it was a job is looked for in a list.
local NEAR = 500
-- How many jobs without a number are passed over, and how many lanes are looked at in one call.
local STRANGERS, LANES = 20, 1000

local after = ARGV[5] and {
  key = ARGV[5], number = ARGV[6], id = ARGV[7], index = tonumber(ARGV[8]), others = ARGV[9],
}
local rows, first = {}, 0

-- Whether one text comes before another, byte by byte: the order of texts in a sorted set.
local function precedes(a, b)
  for i = 1, math.min(#a, #b) do
    local x, y = string.byte(a, i), string.byte(b, i)
    if x ~= y then
      return x < y
    end
  end
  return #a < #b
end

-- How many members of a sorted set come before a place, and whether one stands right there.
local function before(set)
  if after.others == 'none' then
    return call('ZCOUNT', set, '-inf', after.number), false
  end
  local low = call('ZCOUNT', set, '-inf', '(' .. after.number)
  if after.others == 'all' then
    return low, false
  end
  local score = call('ZSCORE', set, after.id)
  if score and tonumber(score) == tonumber(after.number) then
    return call('ZRANK', set, after.id), true
  end
  local high = call('ZCOUNT', set, '-inf', after.number)
  while low < high do
    local middle = math.floor((low + high) / 2)
    local member = call('ZRANGE', set, middle, middle)[1]
    if precedes(member, after.id) then
      low = middle + 1
    else
      high = middle
    end
  end
  return low, false
end

local function add(found, key)
  for i = 1, #found, 2 do
    rows[#rows + 1] = { found[i], found[i + 1], key }
  end
end

-- Adds the members of a sorted set, the lowest first, of those between two scores.
local function add_rising(set, from, to, is_after, key)
  local start = from == '-inf' and 0 or call('ZCOUNT', set, '-inf', '(' .. from)
  if is_after then
    local count, is_there = before(set)
    start = math.max(start, count + (is_there and 1 or 0))
  end
  local stop = to == '+inf' and call('ZCARD', set) or call('ZCOUNT', set, '-inf', '(' .. to)
  stop = math.min(stop, start + MOST - #rows) - 1
  if start <= stop then
    add(call('ZRANGE', set, start, stop, 'WITHSCORES'), key)
  end
end

-- Adds the members of a sorted set, the highest first.
local function add_falling(set)
  local count
  if not after then
    count = call('ZCARD', set)
  elseif after.others == 'all' then
    count = call('ZCOUNT', set, '-inf', after.number)
  elseif after.others == 'none' then
    count = call('ZCOUNT', set, '-inf', '(' .. after.number)
  else
    count = before(set)
  end
  local found = count > 0 and call('ZRANGE', set, math.max(count - MOST, 0), count - 1, 'WITHSCORES') or {}
  for i = #found - 1, 1, -2 do
    rows[#rows + 1] = { found[i], found[i + 1], '' }
  end
end

-- The number of a job in a list: the one that we gave it, or else when it came there, as far as that is known.
local function number_of(id, by)
  local known = by == 'eyp' and { call('HGET', P .. id, 'eyp') } or {}
  if known[1] then
    return 'n' .. known[1]
  end
  known = call('HGET', P .. id, by == 'eyp' and 'timestamp' or by)
  return known and 't' .. known or ''
end

-- The first of the jobs in a list whose number is larger than a place's, or at least as large.
local function search(list, by, kind, number, or_equal)
  local low, high = 0, call('LLEN', list)
  while low < high do
    local middle = math.floor((low + high) / 2)
    local at, found = middle, nil
    while not found and at < high and at <= middle + STRANGERS do
      local text = number_of(call('LINDEX', list, -1 - at), by)
      if string.sub(text, 1, 1) == kind then
        found = tonumber(string.sub(text, 2))
      else
        at = at + 1
      end
    end
    if not found or found > number or or_equal and found == number then
      high = middle
    else
      low = at + 1
    end
  end
  return low
end

-- How many jobs of a list are up to a place; the right end is first.
local function index_after(list, by)
  if not after then
    return 0
  end
  local from = math.max(after.index - NEAR, 0)
  local near = call('LRANGE', list, -1 - after.index - NEAR, -1 - from)
  for i = #near, 1, -1 do
    -- It may have gone and come back, to another place.
    if near[i] == after.id and number_of(after.id, by) == after.number then
      return from + #near - i + 1
    end
  end
  local kind, number = string.sub(after.number, 1, 1), tonumber(string.sub(after.number, 2))
  if not number then
    return math.min(after.index + 1, call('LLEN', list))
  elseif kind == 'n' then
    return search(list, by, kind, number)
  end
  -- Several may have come in one millisecond.
  local low, high = search(list, by, kind, number, true), search(list, by, kind, number)
  return math.max(low, math.min(after.index, high))
end

local function add_list(list, by)
  first = index_after(list, by)
  local ids = call('LRANGE', list, -first - MOST, -1 - first)
  for i = #ids, 1, -1 do
    rows[#rows + 1] = { ids[i], number_of(ids[i], by), '' }
  end
end

-- Adds the jobs that wait in the lanes of keys; tells the last key if there may be more of them.
local function add_lanes(from, to, counted)
  if (tonumber(call('HGET', OWN .. 'set', counted) or nil) or 0) <= 0 then
    return nil
  end
  local is_after = after and after.key ~= ''
  local keys = call('ZRANGEBYLEX', OWN .. 'lanes', is_after and '[' .. after.key or '-', '+', 'LIMIT', 0, LANES)
  for i, key in ipairs(keys) do
    if #rows >= MOST then
      return nil
    end
    add_rising(OWN .. 'lane:' .. key, from, to, is_after and i == 1 and key == after.key, key)
  end
  return #keys == LANES and #rows < MOST and keys[LANES] or nil
end

local meta = call('HMGET', P .. 'meta', 'paused', 'version')
local last
if STATE == 'waiting' or STATE == 'paused' then
  if (meta[1] and 'paused' or 'waiting') ~= STATE then
    return { rows, 0, false }
  end
  local list = P .. 'wait'
  if meta[1] and (string.match(meta[2] or '', '^bullmq:5%.') or call('EXISTS', P .. 'paused') == 1) then
    list = P .. 'paused'
  end
  if not after or after.key == '' then
    add_list(list, 'eyp')
  end
  last = add_lanes('-inf', HALF, 'waiting')
elseif STATE == 'prioritized' then
  if not after or after.key == '' then
    add_rising(P .. 'prioritized', '-inf', '+inf', after, '')
  end
  last = add_lanes(HALF, '+inf', 'prioritized')
elseif STATE == 'active' then
  add_list(P .. 'active', 'processedOn')
elseif STATE == 'completed' or STATE == 'failed' then
  add_falling(P .. STATE)
else
  add_rising(P .. STATE, '-inf', '+inf', after, '')
end
return { rows, first, last or false }
