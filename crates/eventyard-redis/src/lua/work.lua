-- What callers ask for most: commits and claims, in the order in which they were asked.

-- What an error says.
local function why(problem)
  return type(problem) == 'table' and problem.err or tostring(problem)
end

-- Reads at once what the commits look at: which of the jobs and events that they add are there already, and the locks of
-- the leases that they are under.
local function look_ahead(parts)
  local keys, leases = {}, {}
  for _, part in ipairs(parts) do
    for _, c in ipairs(part.commits or {}) do
      leases[#leases + 1] = c.lease
      for _, w in ipairs(c.writes) do
        if w.job then
          keys[#keys + 1] = PREFIX .. ':' .. w.job.queue .. ':' .. w.job.id
        elseif w.jobs then
          keys[#keys + 1] = OURS .. 'event:' .. w.event.id
          for _, new in ipairs(w.jobs) do
            keys[#keys + 1] = PREFIX .. ':' .. new.queue .. ':' .. new.id
          end
        end
      end
    end
  end
  if #keys > 1 then
    db.look_for(keys)
  end
  lease.read_locks(leases)
end

function verbs.work()
  upkeep.catch_up()
  look_ahead(A.parts)
  local answers = {}
  for i, part in ipairs(A.parts) do
    -- What is wrong with the data that one part touches is not to hide what became of the others.
    local is_done, answer = pcall(part.commits and work.commits or work.claim, part.commits or part.claim)
    if is_done then
      answers[i] = { 1, answer }
    else
      work.give_up()
      answers[i] = { 0, why(answer) }
    end
  end
  db.flush()
  settle.tell_drained()
  wake()
  for _, token in ipairs(news.cancelled) do
    call('PUBLISH', OURS .. 'cancelled', token .. ' ' .. NODE)
  end
  return cmsgpack.pack({ answers, news.told, news.cancelled })
end
