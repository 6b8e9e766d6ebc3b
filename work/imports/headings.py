"""Words for columns, in Spanish, Portuguese and English: the one table of them. docs/howto/imports.md shows it."""

import re
import unicodedata
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Literal, TypeAlias

from work.imports.sheet import PlanSheet, SheetRow
from work.imports.text_file import TITLE_ROWS

LONGEST_HEADING = 200
"""Characters that are read of one."""

Kind: TypeAlias = Literal["orders", "routes"]

_BOTH = {
    "name": "nombre|nombre cliente|nombre del cliente|cliente|destinatario|nombre destinatario|razon social|recibe"
    "|nome|nome cliente|nome do cliente|customer|customer name|recipient|recipient name|client",
    "kind": "tipo de servicio|tipo servicio|tipo de parada|operacion|operacao|stop type",
    "address": "direccion|direccion de entrega|direccion entrega|domicilio|calle|calle y numero|endereco"
    "|endereco de entrega|logradouro|delivery address|street|street address|address line 1|address1",
    "address_more": "complemento|apto|apartamento|interior|piso|direccion 2|address2|address line 2",
    "district": "barrio|colonia|bairro|localidad|urbanizacion|district|neighborhood|neighbourhood",
    "city": "ciudad|municipio|cidade|comuna|town",
    "region": "departamento|provincia|uf|state|province",
    "postcode": "codigo postal|cp|c p|cep|zip|zip code|postal code|cod postal",
    "lat": "latitud|latitude|y",
    "lon": "longitud|longitude|lng|long|x",
    "place": "lat lon|lat lng|latlon|latlng|latitud longitud|latitude longitude|coordenadas|coordinates|gps"
    "|geo|maps|google maps|link maps",
    "phone": "telefono|tel|celular|movil|numero celular|telefono celular|telefone|fone|phone number|mobile|cell"
    "|whatsapp",
    "email": "correo|correo electronico|mail|e mail|email cliente",
    "locale": "idioma|lengua|language|lingua",
    "window": "ventana|ventana horaria|ventana de entrega|franja|franja horaria|horario|horario de entrega"
    "|rango horario|bloque horario|janela|janela de entrega|faixa horaria|faixa de horario|time window|delivery window",
    "window_start": "hora desde|hora inicio ventana|inicio ventana|ventana inicio|ventana desde|desde hora|apertura"
    "|inicio da janela|inicio janela|janela inicio|hora inicial|open|opens|earliest time|time from|window from"
    "|from time",
    "window_end": "hora hasta|hora fin ventana|fin ventana|ventana fin|ventana hasta|hasta hora|cierre|fim da janela"
    "|fim janela|janela fim|hora final|close|closes|latest time|time to|window to|to time",
    "service_min": "tiempo de servicio|tiempo servicio|minutos de servicio|duracion|tempo de servico|tempo servico"
    "|duracao|service time|service minutes|service min|duration",
    "service_s": "service seconds|segundos de servicio|segundos de servico",
    "instructions": "instrucciones|observaciones|observacion|notas|nota|obs|comentarios|comentario|indicaciones"
    "|punto de referencia|instrucoes|observacoes|notes|note|comments|delivery notes|remarks",
    "barcode": "codigo de barras|codigo barras|barras|guia|numero de guia|tracking|tracking number|codigo de rastreio"
    "|barcodes|awb|paquete id|etiqueta",
    "parcel_description": "contenido|producto|productos|descripcion|descripcion del paquete|mercancia|conteudo|produto"
    "|descricao|contents|product|description|item",
    "quantity": "cantidad|bultos|cajas|paquetes|unidades|quantidade|volumes|caixas|pacotes|pieces|boxes|parcels|qty"
    "|packages",
    "cash": "contra entrega|contraentrega|pago contra entrega|valor a cobrar|monto a cobrar|cobro|cobrar|recaudo"
    "|valor recaudo|importe a cobrar|valor a receber|cobranca|cod|cash on delivery|cash|amount to collect",
    "currency": "moneda|divisa|moeda",
    "proof": "prueba|prueba de entrega|evidencia|comprobante|comprovante|proof of delivery|pod",
    "timezone": "zona horaria|huso horario|fuso horario|fuso|time zone|tz",
}

_ORDERS = {
    "external_id": "pedido|id pedido|numero de pedido|numero pedido|no pedido|nro pedido|num pedido|n pedido"
    "|codigo pedido|codigo de pedido|ref pedido|referencia pedido|orden|id orden|numero de orden|numero orden|no orden"
    "|nro orden|orden de compra|ordem|numero do pedido|codigo do pedido|order|order id|order number|order no|order ref"
    "|id|id externo|external id|folio",
    "date": "fecha|fecha de entrega|fecha entrega|dia|dia de entrega|data|data de entrega|data entrega|delivery date"
    "|day",
    "earliest": "fecha desde|desde fecha|fecha minima|no antes de|data minima|earliest date|not before|earliest day",
    "latest": "fecha hasta|hasta fecha|fecha limite|fecha maxima|fecha de vencimiento|data limite|prazo|deadline"
    "|latest date|not after|due date|latest day",
    "weight_kg": "peso|kilos|kg|peso total|weight|weight kg|kilograms|quilos",
    "volume_m3": "volumen|m3|volumen total|cubicaje|volume|volume m3|cubagem",
    "skills": "requisitos|requiere|habilidades|requer|requirements|requires|skill",
    "priority": "prioridad|urgencia|prioridade|urgency",
    "depot": "deposito|bodega|almacen|cedis|centro de distribucion|sucursal|origen|armazem|cd|warehouse|hub",
    "after": "despues de|depois de|pickup first",
    "source": "canal|tienda|origen del pedido|loja|channel|shop|store",
}

_ROUTES = {
    "external_id": "pedido|id pedido|numero de pedido|numero pedido|no pedido|nro pedido|n pedido|codigo pedido"
    "|id parada|codigo parada|stop|stop id|order|order id|order number|id|id externo|external id|folio",
    "route": "ruta|id ruta|codigo ruta|nombre ruta|numero de ruta|recorrido|hoja de ruta|rota|id rota|codigo rota"
    "|roteiro|route id|route name|tour|trip|viaje|viagem",
    "seq": "secuencia|orden de visita|orden visita|posicion|numero de parada|no parada|nro parada|sequencia"
    "|ordem de visita|ordem|posicao|sequence|stop number|stop no|position|visit order",
    "driver": "conductor|chofer|repartidor|mensajero|domiciliario|motorista|entregador|id conductor|driver id|courier",
    "date": "fecha|fecha de ruta|fecha ruta|dia|data|data da rota|route date|day",
    "start_at": "salida|hora de salida|hora salida|inicio|hora de inicio|hora inicio|saida|hora de saida|start"
    "|start time|departure",
    "end_at": "regreso|hora de regreso|hora fin|hora de fin|retorno|fim|end|end time|return time",
    "depot": "deposito|bodega|almacen|cedis|centro de distribucion|sucursal|origen|armazem|cd|warehouse|hub",
    "depot_lat": "latitud deposito|latitud bodega|latitud origen|latitude deposito|depot latitude",
    "depot_lon": "longitud deposito|longitud bodega|longitud origen|longitude deposito|depot longitude",
    "planned_arrival": "hora planeada|llegada|hora de llegada|hora llegada|hora estimada|llegada planeada|eta"
    "|chegada|hora de chegada|chegada prevista|planned arrival|arrival|arrival time",
}

SYNONYMS: dict[Kind, dict[str, str]] = {"orders": {**_ORDERS, **_BOTH}, "routes": {**_ROUTES, **_BOTH}}
"""What a column is for, and what it may be called besides; as `plain` writes it."""

NEEDED: dict[Kind, tuple[tuple[str, ...], ...]] = {
    "orders": (("external_id",), ("name",), ("address", "place", "lat")),
    "routes": (("route",), ("external_id",), ("name",), ("place", "lat")),
}
"""Without one of each nothing can be made of a sheet."""


class HeadingError(Exception):
    """The headings are not understood; the text says which or what is missing.

    Attributes:
        headings: those that somebody may say more about, each with what is wrong with it.
    """

    def __init__(self, why: str, headings: Mapping[str, str] | None = None) -> None:
        super().__init__(why)
        self.headings = headings or {}


@dataclass(frozen=True, slots=True, kw_only=True)
class Headings:
    """The headings of a sheet.

    Attributes:
        row: where they stand in `PlanSheet.rows`.
        names: as they are written.
        fields: what each is for; None: it is not read.
    """

    row: int
    names: list[str]
    fields: list[str | None]

    @property
    def columns(self) -> dict[str, int]:
        """Give the column of each field that has one."""
        return {field: column for column, field in enumerate(self.fields) if field is not None}


def plain(heading: str) -> str:
    """Write a heading in the one way: lower case, no accents, marks and small words, nothing in brackets behind it."""
    bare = (
        re.sub(r"[(\[][^)\]]*[)\]]", " ", heading[:LONGEST_HEADING]).lower().replace("°", "o").replace("#", " numero ")
    )
    folded = unicodedata.normalize("NFKD", bare)
    kept = "".join(one for one in folded if not unicodedata.combining(one))
    words = [one for one in re.sub(r"[^a-z0-9]+", " ", kept).split() if one not in _SMALL]
    return " ".join(["numero", *words[1:]] if words[1:] and words[0] in _NUMBER else words)


_SMALL = frozenset({"de", "del", "do", "da", "la", "el", "of", "the"})
_NUMBER = frozenset({"no", "nro", "num", "n"})


def _known(kind: Kind) -> dict[str, str]:
    known = {plain(name): field for field, names in SYNONYMS[kind].items() for name in names.split("|")}
    return known | {plain(field): field for field in SYNONYMS[kind]}


_KNOWN: dict[Kind, dict[str, str]] = {"orders": _known("orders"), "routes": _known("routes")}


def field_of(kind: Kind, heading: str, mapping: Mapping[str, str | None]) -> str | None:
    """Tell what a column is for; None: it is not read.

    Args:
        mapping: by headings as `plain` writes them, before the table of words; None there: not read.
    """
    name = plain(heading)
    return mapping[name] if name in mapping else _KNOWN[kind].get(name)


def find_headings(sheet: PlanSheet, kind: Kind, mapping: Mapping[str, str | None]) -> Headings:
    """Find the row of headings, below titles, and what its columns are for.

    Raises:
        HeadingError: there is none, two columns are for the same, or one is missing.
    """
    rows = sheet.rows[: TITLE_ROWS + 1]
    known = [sum(one is not None for one in _fields(row, kind, mapping)) for row in rows]
    best = max(range(len(rows)), key=lambda row: known[row])
    if known[best] == 0:
        first = next((row for row in rows if len(row.cells) > 1), rows[0])
        unread = [one[:LONGEST_HEADING] for one in first.cells if isinstance(one, str) and one]
        why = f"no row begins the table: none of its headings is known; send {_SHOULD[kind]}"
        raise HeadingError(why, dict.fromkeys(unread, _UNKNOWN))
    fields = _fields(rows[best], kind, mapping)
    names = [str(one or "")[:LONGEST_HEADING] for one in rows[best].cells]
    _require_clear(kind, names, fields)
    return Headings(row=best, names=names, fields=fields)


def _require_clear(kind: Kind, names: Sequence[str], fields: Sequence[str | None]) -> None:
    both = list(zip(names, fields, strict=True))
    for field in {one for one in fields if one is not None}:
        same = [name for name, one in both if one == field]
        if len(same) > 1:
            why = f"{', '.join(map(repr, same))} are both {field}: say by ?mapping= which one is"
            raise HeadingError(why, dict.fromkeys(same, f"is {field}, as another one is"))
    missing = [" or ".join(any_of) for any_of in NEEDED[kind] if not set(any_of) & set(fields)]
    if missing:
        unread = [name for name, one in both if one is None and name]
        why = f"no column is {', and none '.join(missing)}"
        if unread:
            why = f"{why}; these are not understood: {', '.join(unread[:20])}. Say what they are by ?mapping="
        raise HeadingError(why, dict.fromkeys(unread, _UNKNOWN))


_UNKNOWN = "is not understood"

_SHOULD: dict[Kind, str] = {
    "orders": "pedido, nombre and dirección (or lat and lon)",
    "routes": "ruta, pedido, nombre, lat and lon",
}


def _fields(row: SheetRow, kind: Kind, mapping: Mapping[str, str | None]) -> list[str | None]:
    return [field_of(kind, one, mapping) if isinstance(one, str) else None for one in row.cells]
