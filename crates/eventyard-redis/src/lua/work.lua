-- What callers ask for most: commits and claims, in the order in which they were asked.

-- The commits of a part that are not among others of their kind.
local function commits_one_by_one(part)
  local commits = {}
  for _, list in ipairs(part.commits or {}) do
    if list[1] == 'each' then
      for _, c in ipairs(list[3]) do
        commits[#commits + 1] = c
      end
    end
  end
  return commits
end

-- Reads at once what the commits look at: which of the jobs and events that they add are there already, and the locks of
-- the leases that they are under.
local function look_ahead(parts)
  local head = PREFIX .. ':'
  local keys, leased = {}, {}
  for _, part in ipairs(parts) do
    for _, c in ipairs(commits_one_by_one(part)) do
      if c[1] then
        leased[#leased + 1] = head .. c[1] .. ':' .. c[2]
      end
      for i = 4, #c do
        local w = c[i]
        if w[1] == 'enqueue' then
          keys[#keys + 1] = head .. w[2] .. ':' .. w[3]
        elseif w.jobs then
          keys[#keys + 1] = OURS .. 'event:' .. w.event.id
          for _, new in ipairs(w.jobs) do
            keys[#keys + 1] = head .. new[2] .. ':' .. new[3]
          end
        end
      end
    end
  end
  if #keys > 1 then
    db.look_for(keys)
  end
  lease.read_locks(leased)
end

function verbs.work()
  upkeep.catch_up()
  look_ahead(A.parts)
  local answers = { false }
  for _, part in ipairs(A.parts) do
    local n = #answers
    local is_done, answer
    if part.commits then
      is_done, answer = true, work.commits(part.commits)
    else
      is_done, answer = pcall(work.claim, part.claim)
    end
    if is_done then
      answers[n + 1], answers[n + 2] = 1, answer
    else
      work.give_up()
      answers[n + 1], answers[n + 2] = 0, work.why(answer)
    end
  end
  db.flush()
  settle.tell_drained()
  wake()
  for _, token in ipairs(news.cancelled) do
    call('PUBLISH', OURS .. 'cancelled', token .. ' ' .. NODE)
  end
  answers[1] = cmsgpack.pack({ news.told, news.cancelled })
  return answers
end
