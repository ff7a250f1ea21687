-- What every script begins with: its argument, the queues that it touches, and what it tells when it ends.
--
-- The argument is one MessagePack map. Times are milliseconds by the clock of whoever calls. The code is loaded once, as a
-- library of functions, where Redis has those (from version 7 on); what belongs to one call is made anew by `begin`.

local function globals()
  return string, math, table, cjson, cmsgpack, ipairs, pairs, next, unpack, select, pcall, tonumber, tostring, type
end

-- What Lua offers, by the same names: a function of a library that takes it from the globals looks into three tables
-- each time, and while the library is loaded nothing is there.
local string, math, table, cjson, cmsgpack, ipairs, pairs, next, unpack, select, pcall, tonumber, tostring, type

-- Does a command; `try` answers with an error where `call` ends with it.
local call, try
local db, rate, lane, place, job = {}, {}, {}, {}, {}
local duplicate, flow, lease, upkeep = {}, {}, {}, {}
local settle, steer, record, envelope, work = {}, {}, {}, {}, {}
local verbs = {}
-- How a list of commits is applied, by the word that it begins with.
local together = {}
local A, PREFIX, NOW
-- The present as text: formatting numbers is what costs most of all that is not Redis' own work.
local NOW_TEXT
-- Who calls, and whether anybody listens there.
local NODE, HEARD
-- What BullMQ knows nothing of is kept below a queue name that no queue can have.
local OURS
-- Which job has been given out under which token.
local TOKENS
-- Priorities are 2^32 apart in the scores of jobs that wait; BullMQ's numbering inside of one begins at 1.
local CLASS = 4294967296
local HALF = CLASS / 2
-- Delayed jobs have their time in the upper bits of their score, and 4096 places in each millisecond.
local PER_MS = 4096

-- What each part does before a call.
local beginnings = {}

local function begin(argument)
  if not call then
    call, try = redis.call, redis.pcall
    string, math, table, cjson, cmsgpack, ipairs, pairs, next, unpack, select, pcall, tonumber, tostring, type = globals()
  end
  A = cmsgpack.unpack(argument)
  PREFIX, NOW, NODE, HEARD = A.prefix, A.now, A.node, A.heard
  NOW_TEXT = string.format('%d', NOW)
  OURS = PREFIX .. '::eventyard:'
  TOKENS = OURS .. 'tokens'
  for _, reset in ipairs(beginnings) do
    reset()
  end
end

-- How long a key lives that Redis forgets by its own clock. By a clock other than the system's it would forget too
-- early; the caller says how much longer it is to wait then.
local function real(ms)
  return string.format('%.0f', math.max(ms, 1) + (A.grace or 0))
end

-- Small numbers as text.
local small = {}

-- A whole number as text: Lua's own way loses digits beyond the 14th.
local function int(n)
  local text = small[n]
  if not text then
    text = string.format('%d', n)
    if n >= 0 and n < 100 then
      small[n] = text
    end
  end
  return text
end

-- The pairs of a flat reply as a table.
local function pairs_of(flat)
  local map = {}
  for i = 1, #flat, 2 do
    map[flat[i]] = flat[i + 1]
  end
  return map
end

-- Numbers of the one order that everything in the store has; they may have gaps. The last that was taken, and the last
-- that is ours.
local number, last_number

local function take_number()
  if number >= last_number then
    last_number = call('INCRBY', OURS .. 'number', 256)
    number = last_number - 256
  end
  number = number + 1
  return number
end

-- Scores of what happens at one instant: in the order in which it happens, over all queues.
local ticks = { fractions = {} }

-- What the scores of all that happens now end with.
function ticks.fraction()
  if not ticks.count then
    local last = call('HMGET', OURS .. 'tick', 'at', 'count')
    ticks.count = tonumber(last[1] or 0) == NOW and tonumber(last[2]) or 0
  end
  ticks.count = math.min(ticks.count + 1, PER_MS - 1)
  local fraction = ticks.fractions[ticks.count]
  if not fraction then
    fraction = string.sub(string.format('%.4f', ticks.count / PER_MS), 2)
    ticks.fractions[ticks.count] = fraction
  end
  return fraction
end

-- The score of what happens now.
function ticks.score()
  return NOW_TEXT .. ticks.fraction()
end

-- The largest score of what is due now.
function ticks.due()
  return '(' .. int(NOW + 1)
end

-- Notes where the next script goes on.
function ticks.save()
  if ticks.count then
    call('HSET', OURS .. 'tick', 'at', int(NOW), 'count', ticks.count)
  end
end

local queues

-- What is known of a queue, read once by each script.
local function queue(name)
  local q = queues[name]
  if q then
    return q
  end
  local p, own = PREFIX .. ':' .. name .. ':', OURS .. 'q:' .. name .. ':'
  local meta = call('HMGET', p .. 'meta', 'paused', 'version', 'concurrency', 'max', 'duration', 'opts.maxLenEvents')
  local set = pairs_of(call('HGETALL', own .. 'set'))
  q = {
    name = name,
    p = p,
    own = own,
    active = p .. 'active',
    events = p .. 'events',
    leases = own .. 'leases',
    paused = meta[1] and true or false,
    concurrency = tonumber(meta[3] or nil),
    max_events = meta[6],
    set = set,
    limits = set.limits and cjson.decode(set.limits) or {},
    present = tonumber(set.present) or 0,
    joined = tonumber(set.joined) or 0,
    touched = {},
    to_prune = {},
    added = 0,
  }
  q.key_limits = q.limits.keys or {}
  if meta[4] and meta[5] then
    q.rate = { max = tonumber(meta[4]), per = tonumber(meta[5]) }
  end
  -- Up to version 5, BullMQ has the jobs of a paused queue in a list of their own, and loses what it finds in another
  -- when it goes on; later versions take up what they find there.
  q.is_v6 = string.match(meta[2] or '', '^bullmq:[6-9]') and true
  q.target = q.paused and not q.is_v6 and p .. 'paused' or p .. 'wait'
  queues[name] = q
  return q
end

-- The queue that a key of BullMQ's such as `bull:emails` means; nothing if it is of another prefix.
local function queue_of(qualified)
  local head = PREFIX .. ':'
  if string.sub(qualified, 1, #head) == head and #qualified > #head then
    return queue(string.sub(qualified, #head + 1))
  end
end

-- What is told: for Node in the queue's stream, and for whoever called. While a commit may be undone it is `held`.
local news

beginnings[#beginnings + 1] = function()
  number, last_number = 0, 0
  ticks.count = nil
  queues = {}
  news = { told = {}, cancelled = {} }
end

-- Tells something to our listeners only, because BullMQ tells less or in another order: the name of an event, then its
-- fields and their values.
local function tell_here(q, event, ...)
  if news.held then
    news.held[#news.held + 1] = { q, event, 'here', ... }
  elseif HEARD then
    news.told[#news.told + 1] = { q.name, event, { ... } }
  end
end

-- Tells something in the queue's stream only.
local function tell_there(q, event, ...)
  if news.held then
    news.held[#news.held + 1] = { q, event, 'there', ... }
    return
  elseif q.is_forgotten then
    return
  end
  if q.is_trimmed then
    call('XADD', q.events, '*', 'event', event, 'by', NODE, ...)
    return
  end
  -- The first event of a call makes room for those of the last one: what is trimmed is about so long anyway, and
  -- trimming is a fifth of what telling costs.
  q.is_trimmed = true
  if not q.max_events then
    q.max_events = '10000'
    call('HSETNX', q.p .. 'meta', 'opts.maxLenEvents', q.max_events)
  end
  call('XADD', q.events, 'MAXLEN', '~', q.max_events, '*', 'event', event, 'by', NODE, ...)
end

-- Tells something to all.
local function tell(q, event, ...)
  tell_there(q, event, ...)
  if HEARD then
    tell_here(q, event, ...)
  end
end

-- Tells what was held back, now that the commit stays.
local function tell_held()
  local held = news.held or {}
  news.held = nil
  for _, each in ipairs(held) do
    local how = each[3] == 'here' and tell_here or tell_there
    how(each[1], each[2], unpack(each, 4))
  end
end

-- Whether as many jobs of a queue are active as may be.
local function is_full(q)
  return q.concurrency and call('LLEN', q.active) >= q.concurrency
end

-- Removes the finished jobs that are beyond what is kept. That may make parents run and finish on other queues.
local function prune_all()
  repeat
    local to_do = {}
    for _, q in pairs(queues) do
      if next(q.to_prune) then
        to_do[#to_do + 1] = q
      end
    end
    for _, q in ipairs(to_do) do
      job.prune_now(q)
    end
  until #to_do == 0
end

-- Wakes those who wait for jobs of the queues that have some now, or have them sooner than before; forgets what was
-- read of the queues.
local function wake()
  prune_all()
  db.flush()
  lane.update_all()
  ticks.save()
  for _, q in pairs(queues) do
    if q.added > 0 then
      call('INCRBY', q.p .. 'id', q.added)
    end
    if q.woken and not q.paused and not is_full(q) then
      call('ZADD', q.p .. 'marker', 0, '0')
    end
    if q.sooner then
      local first = call('ZRANGE', q.p .. 'delayed', 0, 0, 'WITHSCORES')
      if first[2] then
        call('ZADD', q.p .. 'marker', tonumber(first[2]) / PER_MS, '1')
      end
    end
  end
  queues = {}
end
