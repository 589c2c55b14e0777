"""The service description that we publish, made from the table of operations (WSDL 1.1, SOAP 1.1 document/literal)."""

from __future__ import annotations

from xml.sax.saxutils import quoteattr

from routebooks.webconnector.operations import NAMESPACE, SIGNATURES, Signature, Type

_NAME = "QBWebConnectorSvc"
_PORT = f"{_NAME}Soap"
_ARRAY = (
    '<s:complexType name="ArrayOfString"><s:sequence>'
    '<s:element minOccurs="0" maxOccurs="unbounded" name="string" nillable="true" type="s:string"/>'
    "</s:sequence></s:complexType>"
)


def wsdl(address: str) -> bytes:
    """The description of the service at an address."""
    signatures = SIGNATURES.values()
    schema = "".join(_elements(signature) for signature in signatures) + _ARRAY
    return (
        '<?xml version="1.0" encoding="utf-8"?>'
        '<wsdl:definitions xmlns:wsdl="http://schemas.xmlsoap.org/wsdl/" xmlns:s="http://www.w3.org/2001/XMLSchema"'
        f' xmlns:soap="http://schemas.xmlsoap.org/wsdl/soap/" xmlns:tns="{NAMESPACE}" targetNamespace="{NAMESPACE}">'
        f'<wsdl:types><s:schema elementFormDefault="qualified" targetNamespace="{NAMESPACE}">{schema}</s:schema>'
        f"</wsdl:types>{''.join(_messages(signature.name) for signature in signatures)}"
        f'<wsdl:portType name="{_PORT}">{"".join(_port(signature.name) for signature in signatures)}</wsdl:portType>'
        f'<wsdl:binding name="{_PORT}" type="tns:{_PORT}">'
        '<soap:binding transport="http://schemas.xmlsoap.org/soap/http" style="document"/>'
        f"{''.join(_binding(signature.name) for signature in signatures)}</wsdl:binding>"
        f'<wsdl:service name="{_NAME}"><wsdl:port name="{_PORT}" binding="tns:{_PORT}">'
        f"<soap:address location={quoteattr(address)}/></wsdl:port></wsdl:service></wsdl:definitions>"
    ).encode()


def _elements(signature: Signature) -> str:
    result = ((f"{signature.name}Result", signature.result),)
    return _element(signature.name, signature.parameters) + _element(f"{signature.name}Response", result)


def _element(name: str, parts: tuple[tuple[str, Type], ...]) -> str:
    inner = "".join(_part(part, kind) for part, kind in parts)
    return f'<s:element name="{name}"><s:complexType><s:sequence>{inner}</s:sequence></s:complexType></s:element>'


def _part(name: str, kind: Type) -> str:
    """A number must be there; a text may be left out."""
    least = 1 if kind == "int" else 0
    prefix = "tns" if kind == "ArrayOfString" else "s"
    return f'<s:element minOccurs="{least}" maxOccurs="1" name="{name}" type="{prefix}:{kind}"/>'


def _messages(name: str) -> str:
    return "".join(
        f'<wsdl:message name="{name}Soap{way}"><wsdl:part name="parameters" element="tns:{element}"/></wsdl:message>'
        for way, element in (("In", name), ("Out", f"{name}Response"))
    )


def _port(name: str) -> str:
    return (
        f'<wsdl:operation name="{name}"><wsdl:input message="tns:{name}SoapIn"/>'
        f'<wsdl:output message="tns:{name}SoapOut"/></wsdl:operation>'
    )


def _binding(name: str) -> str:
    body = '<soap:body use="literal"/>'
    return (
        f'<wsdl:operation name="{name}"><soap:operation soapAction="{NAMESPACE}{name}" style="document"/>'
        f"<wsdl:input>{body}</wsdl:input><wsdl:output>{body}</wsdl:output></wsdl:operation>"
    )
