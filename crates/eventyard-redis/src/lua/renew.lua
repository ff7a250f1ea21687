-- Makes leases hold for longer.

local answers = {}
for i, l in ipairs(A.leases) do
  answers[i] = lease.renew(l, NOW + A.lease) and 1 or 0
end
ticks.save()
return cmsgpack.pack(answers)
