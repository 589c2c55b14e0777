"""The names behind the demo company: a made-up shore with made-up brands and nobody real."""

from __future__ import annotations

PLACES = (
    "Alder Point", "Bramble Creek", "Cedar Hollow", "Drift Harbor", "Elm Crossing", "Fox Landing", "Gull Island",
    "Heron Bay", "Iron Bridge", "Juniper Flats", "Kettle Pond", "Lantern Hill", "Marsh End", "North Ferry",
    "Otter Cove", "Pebble Lane", "Quarry Road", "Raven Rock", "Saltgrass", "Thistle Down", "Umber Mills",
    "Vesper Hill", "Willow Run", "Yarrow Green", "Zephyr Head", "Birch Corner", "Clover Field",
)  # fmt: skip

#: What a business is called, and its category.
OFF_PREMISE = (
    ("Wine & Spirits", "Liquor Store"),
    ("Package Store", "Liquor Store"),
    ("Market", "Grocery"),
    ("Corner Store", "Convenience"),
)
ON_PREMISE = (
    ("Tavern", "Bar"),
    ("Grill", "Restaurant"),
    ("Café", "Restaurant"),
    ("Taproom", "Bar"),
    ("Inn", "Hotel"),
)

#: A chain's name, the category of its stores, its account number and how many stores it has.
CHAINS = (("Larkspur Markets", "Grocery", "20000", 10), ("Copper Kettle Liquors", "Liquor Store", "30000", 8))

REGIONS = ("Shore", "Valley", "Hills")

#: A rep's initials, the name on the list of other names, and the team.
REPS = (
    ("EA", "East Route A", "East"),
    ("EB", "East Route B", "East"),
    ("EC", "East Route C", "East"),
    ("WA", "West Route A", "West"),
    ("WB", "West Route B", "West"),
    ("WC", "West Route C", "West"),
)

TERMS = (("COD", 0), ("Net 15", 15), ("Net 30", 30))

SUPPLIERS = (
    "Stonefield Vintners",
    "Gray Heron Distilling",
    "Kestrel Brewing Company",
    "Bluff & Barrel Imports",
    "Northlight Cellars",
    "Tin Whistle Beer Works",
    "Marrow Creek Spirits",
    "Saltmarsh Cider House",
)

#: A brand, the place of its supplier in SUPPLIERS, and which varieties and packages it comes in.
BRANDS = (
    ("Wild Thistle", 0, "wine"),
    ("Old Quarry", 0, "wine"),
    ("Château Lanterne", 3, "wine"),
    ("Pale Harbor", 4, "wine"),
    ("Seven Gates", 4, "wine"),
    ("Casa del Faro", 3, "wine"),
    ("Moth & Moon", 0, "wine"),
    ("Winter Orchard", 4, "wine"),
    ("Copper Lantern", 1, "spirits"),
    ("Black Gull", 1, "spirits"),
    ("Hollow Oak", 6, "spirits"),
    ("Señor Mirlo", 3, "spirits"),
    ("Ironwood", 6, "spirits"),
    ("Juniper & Daughters", 1, "spirits"),
    ("Harbor Light", 6, "spirits"),
    ("Red Kite", 1, "spirits"),
    ("Kestrel", 2, "beer"),
    ("Fogbank", 2, "beer"),
    ("Tin Whistle", 5, "beer"),
    ("Mad Heron", 5, "beer"),
    ("Low Tide", 2, "beer"),
    ("Nightjar", 5, "beer"),
    ("Rope Walk", 2, "beer"),
    ("Saltmarsh", 7, "cider"),
    ("Windfall", 7, "cider"),
)

#: A variety and its product type; a brand of spirits or beer takes two of them.
VARIETIES = {
    "wine": (("Cabernet", "Red Wine"), ("Pinot Noir", "Red Wine"), ("Chardonnay", "White Wine"), ("Rosé", "Rosé Wine")),
    "spirits": (("Vodka", "Vodka"), ("Gin", "Gin"), ("Rum", "Rum"), ("Bourbon", "Whiskey"), ("Tequila", "Tequila"),
                ("Coffee Liqueur", "Liqueur")),
    "beer": (("Lager", "Lager"), ("IPA", "Ale"), ("Stout", "Stout"), ("Pilsner", "Lager")),
    "cider": (("Dry Cider", "Cider"), ("Pear Cider", "Cider")),
}  # fmt: skip
VARIETIES_A_BRAND = {"wine": 4, "spirits": 2, "beer": 2, "cider": 2}

#: A package, the units in its case, and the price of the cheapest case in dollars.
PACKAGES = {
    "wine": (("12x750 ml", 12, 96), ("6x1.5 L", 6, 84)),
    "spirits": (("12x750 ml", 12, 168), ("12x1 L", 12, 204), ("6x1.75 L", 6, 156)),
    "beer": (("24x12 oz", 24, 24), ("4x6x12 oz", 24, 26), ("1/2 bbl", 1, 142), ("1/6 bbl", 1, 68)),
    "cider": (("24x12 oz", 24, 30), ("4x6x12 oz", 24, 32), ("1/6 bbl", 1, 79)),
}

#: The unit set of goods that come so many bottles to the case; kegs and cans are sold in one unit only.
UNIT_SETS = {12: "Case of 12", 6: "Case of 6"}
