-- What of OpenStreetMap lies below vans: water, green, houses, roads with their names, names of places.
-- For tilemaker 2 (which hands every object over) and 3 (which has functions instead).

local function find(thing, key)
  if thing then return thing:Find(key) end
  return Find(key)
end
local function layer(thing, name, is_area)
  if thing then thing:Layer(name, is_area) else Layer(name, is_area) end
end
local function attribute(thing, key, value)
  if value == "" then return end
  if thing then thing:Attribute(key, value) else Attribute(key, value) end
end
local function from_zoom(thing, zoom)
  if thing then thing:MinZoom(zoom) else MinZoom(zoom) end
end

local ROADS = {
  motorway = { "major", 6 }, trunk = { "major", 7 }, motorway_link = { "major", 11 }, trunk_link = { "major", 11 },
  primary = { "main", 8 }, secondary = { "main", 10 }, primary_link = { "main", 12 }, secondary_link = { "main", 12 },
  tertiary = { "street", 11 }, tertiary_link = { "street", 13 }, unclassified = { "street", 12 }, residential = { "street", 12 },
  living_street = { "street", 13 }, road = { "street", 13 }, pedestrian = { "street", 13 }, service = { "path", 14 },
  track = { "path", 14 }, footway = { "path", 14 }, path = { "path", 14 }, cycleway = { "path", 14 }, steps = { "path", 14 },
}
local PLACES = { city = 6, town = 8, suburb = 11, village = 11, quarter = 13, neighbourhood = 13, hamlet = 13 }
local GREEN = { park = 1, garden = 1, forest = 1, wood = 1, grass = 1, cemetery = 1, golf_course = 1, nature_reserve = 1 }
local RIVERS = { river = 8, canal = 11, stream = 13 }

node_keys = { "place" }

function init_function() end
function exit_function() end

function node_function(node)
  local kind, name = find(node, "place"), find(node, "name")
  if not PLACES[kind] or name == "" then return end
  layer(node, "place", false)
  attribute(node, "kind", kind)
  attribute(node, "name", name)
  from_zoom(node, PLACES[kind])
end

local function is_green(way)
  return GREEN[find(way, "leisure")] or GREEN[find(way, "landuse")] or GREEN[find(way, "natural")]
end

function way_function(way)
  local road, river = ROADS[find(way, "highway")], RIVERS[find(way, "waterway")]
  if road and find(way, "area") ~= "yes" then
    layer(way, "road", false)
    attribute(way, "kind", road[1])
    attribute(way, "name", find(way, "name"))
    from_zoom(way, road[2])
  elseif river then
    layer(way, "water", false)
    from_zoom(way, river)
  elseif find(way, "natural") == "water" or find(way, "waterway") == "riverbank" then
    layer(way, "water", true)
  elseif find(way, "building") ~= "" then
    layer(way, "building", true)
  elseif is_green(way) then
    layer(way, "green", true)
  end
end
