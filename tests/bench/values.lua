-- Requests that differ in one value each: wrk -s values.lua URL -- HOW FILE METHOD BODY
--
-- The value ends the body, or is the bearer token of a request without one. The file holds a value in each line.
--   again   every value in turn, over and over
--   once    every value once; when they run out, the load ends with an error
--   next    each answer's refresh token is the value of a later request
--   codes   the file is written: the code of each answer's Location. Every request is the same

local values, first, last = {}, 1, 0
local how, method, body, kept

function init(args)
	how, method, body = args[1], args[3], args[4]
	if method == "POST" then
		wrk.headers["Content-Type"] = "application/x-www-form-urlencoded"
	end
	if how == "codes" then
		kept = assert(io.open(args[2], "w"))
		add("")
	else
		for line in io.lines(args[2]) do
			add(line)
		end
	end
	-- wrk reads every header of every answer for a function of this name: only where it is needed.
	if how == "next" then
		response = keep_next
	elseif how == "codes" then
		response = keep_code
	end
end

function add(value)
	last = last + 1
	values[last] = value
end

function request()
	local value = values[first]
	if not value then
		error("the values have run out")
	end
	if how == "again" then
		first = first % last + 1
	elseif how ~= "codes" then
		values[first] = nil
		first = first + 1
	end
	if method == "POST" then
		return wrk.format("POST", nil, nil, body .. value)
	elseif value ~= "" then
		wrk.headers["Authorization"] = "Bearer " .. value
	end
	return wrk.format(method)
end

function keep_next(status, headers, text)
	local value = text:match('"refresh_token":"([^"]+)"')
	if value then
		add(value)
	end
end

function keep_code(status, headers)
	local place = headers["location"] or headers["Location"] or ""
	local code = place:match("[?&]code=([^&]+)")
	if code then
		kept:write(code, "\n")
	end
end
