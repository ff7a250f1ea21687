-- Leases the jobs of a queue that are next.

-- The queue, and what is asked of it.
local q, ask

-- Takes the next jobs without a key: those without a priority first. Tells whether there may be more.
local function take(jobs)
  local ids = jobs > 0 and call('RPOP', q.target, jobs) or {}
  if #ids < jobs then
    local popped = call('ZPOPMIN', q.p .. 'prioritized', jobs - #ids)
    for i = 1, #popped, 2 do
      ids[#ids + 1] = popped[i]
    end
    -- BullMQ numbers them from the beginning again; those that run now may come back to their places.
    if #popped == 0 and call('EXISTS', q.p .. 'pc') == 1 and call('LLEN', q.active) == 0 then
      call('DEL', q.p .. 'pc')
    end
  end
  return ids, #ids == jobs
end

-- Whether jobs wait that could run.
local function has_more()
  return call('LLEN', q.target) + call('ZCARD', q.p .. 'prioritized') + lane.waiting(q) > 0
end

-- How many jobs may begin by the queue's own limits.
local function room(window)
  local left = ask.max
  if q.concurrency then
    left = math.min(left, math.max(q.concurrency - call('LLEN', q.active), 0))
  end
  if window then
    left = math.min(left, math.max(rate.room(window, q.rate) - window.others, 0))
  end
  return left
end

-- What began in the period, with what Node's workers began of it.
local function load_window()
  if not q.rate then
    return nil
  end
  local window = rate.load(q.own .. 'rate')
  local counted = tonumber(call('GET', q.p .. 'limiter') or 0)
  if counted < window.mine or counted == 0 then
    window.mine = 0
  end
  window.others = counted - window.mine
  return window
end

local function count(window, jobs)
  if window and jobs > 0 then
    rate.count(window, q.rate, jobs)
    if call('INCRBY', q.p .. 'limiter', jobs) == jobs then
      call('PEXPIRE', q.p .. 'limiter', real(q.rate.per))
    end
    window.mine = window.mine + jobs
    window.others = nil
    rate.save(q.own .. 'rate', window, q.rate)
  end
end

-- When a claim may get what it does not get now.
local function next_time(window)
  local first
  local function also(at)
    if at and (not first or at < first) then
      first = at
    end
  end
  local due = call('ZRANGE', q.p .. 'delayed', 0, 0, 'WITHSCORES')
  also(due[2] and math.floor(tonumber(due[2]) / PER_MS))
  if window then
    also(rate.opens(window, q.rate))
    if (window.others or 0) > 0 then
      also(NOW + math.max(call('PTTL', q.p .. 'limiter'), 1))
    end
  end
  if lane.exist(q) then
    also(lane.reopens(q))
  end
  local expiry = call('ZRANGE', OURS .. 'unbegun', 0, 0, 'WITHSCORES')
  also(tonumber(expiry[2]))
  return first
end

-- What a claim looks at: what says that a job is there, what few jobs have, and what makes one more than plain. Whoever
-- asked gets all fields.
local SAID, RARE, TIED = 1, 2, 3
local WANTED = {
  name = SAID, timestamp = SAID, defa = RARE, ats = RARE, atm = RARE, eyx = RARE, eyn = RARE, eyk = TIED, deid = TIED,
  parent = TIED,
}

-- The last digits of tokens: the number of the lease in its claim, and whether the job is plain, which whoever settles it
-- says by its token.
local digits = {}

local function last_digits(n, is_plain)
  local number = 2 * n + (is_plain and 1 or 0)
  local text = digits[number]
  if not text then
    text = string.format('%08x', number)
    digits[number] = n <= 1000 and text or nil
  end
  return text
end

-- The fields of a job but for its steps, which its handler reads if it asks for one.
local function without_steps(flat)
  local rest = {}
  for i = 1, #flat, 2 do
    if string.sub(flat[i], 1, 3) ~= 'eyn' then
      rest[#rest + 1] = flat[i]
      rest[#rest + 1] = flat[i + 1]
    end
  end
  return rest
end

-- Most jobs have none of what is rare.
local NONE = {}

-- Leases one job as the `n`th; nothing if it is not to run. Tells its fields, its token, and which attempt it is.
local function start(id, n)
  local key = q.p .. id
  -- A job whose key holds something else is no reason to lose those that were taken with it.
  local flat, fields, is_there, is_plain = try('HGETALL', key), NONE, false, true
  for i = 1, #flat, 2 do
    local wanted = WANTED[flat[i]]
    if wanted == SAID then
      is_there = true
    elseif wanted == RARE then
      fields = fields == NONE and {} or fields
      fields[flat[i]] = flat[i + 1]
    elseif wanted then
      is_plain = false
    end
  end
  if not is_there then
    return nil
  end
  if fields.defa then
    -- Somebody decided that it fails before it runs.
    local f = job.load(q, id)
    local keep = job.keep_of(job.options(q, id).removeOnFail)
    f.attempts = f.attempts + 1
    f.started_at = NOW
    db.hset(key, 'atm', int(f.attempts))
    job.finish(q, id, f, { state = 'failed', failure = job.failure('child', fields.defa) }, keep)
    return nil
  end
  local token, started = ask.token .. last_digits(n, is_plain), int((tonumber(fields.ats) or 0) + 1)
  call('HSET', key, 'processedOn', NOW_TEXT, 'pb', ask.worker, 'ats', started, 'eyl', token .. ' ' .. started)
  call('SET', key .. ':lock', token, 'PX', ask.lease_text)
  local expiry = fields.eyx and job.expiry(fields.eyx, id)
  if expiry then
    call('ZREM', q.own .. 'unbegun', expiry.member)
  end
  if fields.eyn then
    flat = without_steps(flat)
  end
  return flat, token, int((tonumber(fields.atm) or 0) + 1)
end

-- Leases jobs; tells when a claim may get what this one does not, then of each job its id, its token and its fields.
function work.claim(asked)
  ask, q = asked, queue(asked.queue)
  upkeep.catch_up_with(q)
  db.flush()
  ask.lease_text = real(ask.lease)
  local answer, ids, leases, tokens, ends = { false }, {}, {}, {}, int(NOW + ask.lease)
  local window
  local may_be_more, passed_over = true, false
  if not q.paused then
    window = load_window()
    local left = room(window)
    if left > 0 then
      local taken, keys
      if lane.exist(q) then
        taken, keys = lane.pick(q, left, ask.burst, take)
      else
        taken, may_be_more = take(left)
      end
      for _, id in ipairs(taken) do
        local n = #ids + 1
        local fields, token, attempt = start(id, n)
        if fields then
          ids[n] = id
          answer[3 * n - 1], answer[3 * n], answer[3 * n + 1] = id, token, fields
          leases[2 * n - 1], leases[2 * n] = ends, id
          tokens[2 * n - 1], tokens[2 * n] = token, q.name .. ':' .. id
          tell(q, 'active', 'jobId', id, 'prev', 'waiting', 'attempt', attempt, 'worker', ask.worker)
        else
          passed_over = true
          if keys and keys[id] then
            lane.run(q, keys[id], -1)
          end
        end
      end
      count(window, #ids)
    end
  end
  if #ids > 0 then
    db.in_parts('LPUSH', q.active, ids)
    db.in_parts('ZADD', q.leases, leases)
    db.in_parts('HSET', TOKENS, tokens)
    db.flush()
    q.woken = (may_be_more or passed_over) and has_more()
    if HEARD and not q.woken and call('ZCARD', q.p .. 'delayed') == 0 then
      -- Node hears of it when the last job ends.
      tell_here(q, 'drained')
    end
  elseif not q.paused then
    answer[1] = next_time(window) or false
    -- There may be others behind those that were of no use.
    q.woken = q.woken or passed_over
  end
  db.flush()
  lane.update_all()
  return answer
end
