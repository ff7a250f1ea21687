-- Counting what began, so that no period of a rate has too many: 64 slots that slide over the period. A slot counts
-- until all of it is older than the period.

local SLOTS = 64

function rate.load(key)
  local text = call('GET', key)
  return text and cmsgpack.unpack(text) or { slots = {}, total = 0, mine = 0 }
end

function rate.save(key, window, limit)
  call('SET', key, cmsgpack.pack(window), 'PX', real(limit.per * 2 + 1000))
end

local function forget(window, limit)
  while window.slots[1] and window.slots[1][1] + limit.per <= NOW do
    window.total = window.total - window.slots[1][2]
    table.remove(window.slots, 1)
  end
end

-- How many jobs may begin now.
function rate.room(window, limit)
  forget(window, limit)
  return math.max(limit.max - window.total, 0)
end

-- Counts jobs that begin now.
function rate.count(window, limit, jobs)
  local width = math.max(math.floor(limit.per / SLOTS), 1)
  local last = window.slots[#window.slots]
  local slot_end = math.max((math.floor(NOW / width) + 1) * width - 1, last and last[1] or 0)
  if last and last[1] == slot_end then
    last[2] = last[2] + jobs
  else
    window.slots[#window.slots + 1] = { slot_end, jobs }
  end
  window.total = window.total + jobs
end

-- When jobs may begin again, if none may now.
function rate.opens(window, limit)
  if window.total >= limit.max and window.slots[1] then
    return window.slots[1][1] + limit.per
  end
end
